package webhook

import (
	"context"
	"crypto/tls"
	"fmt"
	"maps"
	"sync/atomic"
	"time"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/seed-c5f95f19/vela/pkg/webhook/certs"
)

// SecretName is the Secret in which the replicas share the certificate.
const SecretName = "vela-core-webhook"

// Keys of that Secret beside those that Kubernetes has words for.
const (
	keyAuthority    = "ca.crt"
	keyAuthorityKey = "ca.key"
)

// A Keeper keeps the certificate good and the webhooks registered, in every
// replica: whoever comes first writes, the others see it. The zero value is
// usable by Server and Setup. It is safe for concurrent use.
type Keeper struct {
	hub          client.Client
	registration Registration
	now          func() time.Time
	hosts        []string

	current atomic.Pointer[tls.Certificate]
}

func (k *Keeper) certificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	if c := k.current.Load(); c != nil {
		return c, nil
	}
	return nil, errNoCertificate
}

// start makes sure of a certificate before the server needs one.
func (k *Keeper) start(ctx context.Context, o Options) error {
	hosts, err := o.Registration.hosts()
	if err != nil {
		return err
	}
	k.hub, k.registration, k.now, k.hosts = o.Hub, o.Registration, o.Clock.Now, hosts
	_, _, err = k.renew(ctx)
	return err
}

// Reconcile implements reconcile.Reconciler: it runs when the Secret or one of the
// configurations changes, and when the certificate is to be replaced.
func (k *Keeper) Reconcile(ctx context.Context, _ ctrl.Request) (ctrl.Result, error) {
	set, again, err := k.renew(ctx)
	if err != nil {
		return ctrl.Result{}, err
	}
	if err := k.register(ctx, set.Bundle); err != nil {
		return ctrl.Result{}, err
	}
	return ctrl.Result{RequeueAfter: max(again.Sub(k.now()), time.Second)}, nil
}

// renew reads the shared certificate, replaces it when it is time, and serves it.
func (k *Keeper) renew(ctx context.Context) (certs.Set, time.Time, error) {
	secret := &corev1.Secret{}
	key := client.ObjectKey{Namespace: k.registration.Namespace, Name: SecretName}
	err := k.hub.Get(ctx, key, secret)
	if client.IgnoreNotFound(err) != nil {
		return certs.Set{}, time.Time{}, fmt.Errorf("read the certificate of the webhooks: %w", err)
	}
	absent := err != nil
	have := certs.Set{
		Bundle: secret.Data[keyAuthority], AuthorityKey: secret.Data[keyAuthorityKey],
		Cert: secret.Data[corev1.TLSCertKey], Key: secret.Data[corev1.TLSPrivateKeyKey],
	}
	set, again, err := certs.Renew(have, k.hosts, k.now())
	if err != nil {
		return certs.Set{}, time.Time{}, err
	}
	if !set.Equal(have) {
		if err := k.store(ctx, secret, set, absent); err != nil {
			if apierrors.IsConflict(err) || apierrors.IsAlreadyExists(err) {
				return k.renew(ctx) // another replica was faster: take what it made
			}
			return certs.Set{}, time.Time{}, fmt.Errorf("store the certificate of the webhooks: %w", err)
		}
	}
	c, err := set.TLS()
	if err != nil {
		return certs.Set{}, time.Time{}, err
	}
	k.current.Store(c)
	return set, again, nil
}

func (k *Keeper) store(ctx context.Context, secret *corev1.Secret, set certs.Set, absent bool) error {
	next := secret.DeepCopy()
	next.Namespace, next.Name = k.registration.Namespace, SecretName
	next.Data = maps.Clone(secret.Data)
	if next.Data == nil {
		next.Data = map[string][]byte{}
	}
	next.Data[keyAuthority], next.Data[keyAuthorityKey] = set.Bundle, set.AuthorityKey
	next.Data[corev1.TLSCertKey], next.Data[corev1.TLSPrivateKeyKey] = set.Cert, set.Key
	if absent {
		next.Type = corev1.SecretTypeTLS
		return k.hub.Create(ctx, next)
	}
	return k.hub.Update(ctx, next) // with its resourceVersion
}

// register makes the API server know the webhooks, or whom to trust.
func (k *Keeper) register(ctx context.Context, bundle []byte) error {
	validating, mutating := k.registration.Configurations(bundle)
	haveV, haveM := &admissionregistrationv1.ValidatingWebhookConfiguration{}, &admissionregistrationv1.MutatingWebhookConfiguration{}
	if err := k.put(ctx, haveV, validating, func() client.Object {
		next := haveV.DeepCopy()
		if k.registration.URL != "" {
			next.Webhooks = validating.Webhooks
			return next
		}
		for i, w := range next.Webhooks {
			for _, want := range validating.Webhooks {
				if w.Name == want.Name {
					next.Webhooks[i].ClientConfig.CABundle, next.Webhooks[i].FailurePolicy = bundle, want.FailurePolicy
				}
			}
		}
		return next
	}); err != nil {
		return err
	}
	return k.put(ctx, haveM, mutating, func() client.Object {
		next := haveM.DeepCopy()
		if k.registration.URL != "" {
			next.Webhooks = mutating.Webhooks
			return next
		}
		for i, w := range next.Webhooks {
			for _, want := range mutating.Webhooks {
				if w.Name == want.Name {
					next.Webhooks[i].ClientConfig.CABundle, next.Webhooks[i].FailurePolicy = bundle, want.FailurePolicy
				}
			}
		}
		return next
	})
}

// put writes what next makes of the stored object, if that is another one. A
// configuration that does not exist is created only when it is ours: of a chart
// that left it out none is wanted.
func (k *Keeper) put(ctx context.Context, have, want client.Object, next func() client.Object) error {
	err := k.hub.Get(ctx, client.ObjectKey{Name: k.registration.Name}, have)
	switch {
	case apierrors.IsNotFound(err) && k.registration.URL == "":
		return nil
	case apierrors.IsNotFound(err):
		err = k.hub.Create(ctx, want)
	case err == nil:
		if changed := next(); !equality.Semantic.DeepEqual(have, changed) {
			err = k.hub.Update(ctx, changed)
		}
	}
	if apierrors.IsConflict(err) || apierrors.IsAlreadyExists(err) {
		return nil // its event brings us back
	}
	if err != nil {
		return fmt.Errorf("register the webhooks: %w", err)
	}
	return nil
}

// setup adds the Keeper to mgr, in every replica.
func (k *Keeper) setup(mgr ctrl.Manager) error {
	one := func(name string) cache.ByObject {
		return cache.ByObject{Field: fields.OneTermEqualSelector(metav1.ObjectNameField, name)}
	}
	secret := one(SecretName)
	secret.Namespaces = map[string]cache.Config{k.registration.Namespace: {}}
	watched, err := cache.New(mgr.GetConfig(), cache.Options{
		Scheme: mgr.GetScheme(), Mapper: mgr.GetRESTMapper(), HTTPClient: mgr.GetHTTPClient(),
		ByObject: map[client.Object]cache.ByObject{
			&corev1.Secret{}: secret,
			&admissionregistrationv1.ValidatingWebhookConfiguration{}: one(k.registration.Name),
			&admissionregistrationv1.MutatingWebhookConfiguration{}:   one(k.registration.Name),
		},
	})
	if err != nil {
		return fmt.Errorf("watch the certificate of the webhooks: %w", err)
	}
	if err := mgr.Add(watched); err != nil {
		return err
	}
	// One request for whatever changed: they are judged together. The Secret and
	// the configurations may not exist, so the first run has no event.
	always := func(context.Context, client.Object) []reconcile.Request {
		return []reconcile.Request{{}}
	}
	c, err := controller.New("webhooks", mgr, controller.Options{Reconciler: k, NeedLeaderElection: ptr.To(false)})
	if err != nil {
		return err
	}
	for _, s := range []source.Source{
		source.Kind[client.Object](watched, &corev1.Secret{}, handler.EnqueueRequestsFromMapFunc(always)),
		source.Kind[client.Object](watched, &admissionregistrationv1.ValidatingWebhookConfiguration{}, handler.EnqueueRequestsFromMapFunc(always)),
		source.Kind[client.Object](watched, &admissionregistrationv1.MutatingWebhookConfiguration{}, handler.EnqueueRequestsFromMapFunc(always)),
		source.Func(first),
	} {
		if err := c.Watch(s); err != nil {
			return err
		}
	}
	return nil
}

// first asks for the run that no event asks for.
func first(_ context.Context, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) error {
	queue.Add(reconcile.Request{})
	return nil
}
