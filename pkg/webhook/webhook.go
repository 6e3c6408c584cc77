// Package webhook answers the API server before an object of ours is stored:
// mistakes in Applications and definitions are refused with the words that
// dry-run, conditions and events use too, and what is only doubtful comes back as
// a warning.
//
// It judges with the functions of the stages (blueprint, check, conform) and adds
// only what needs the object as it was before: immutable properties. The
// controller repeats every judgement that a delivery depends on, so admission is
// for people, not for safety. The server runs in every replica of vela-core; its
// certificate and its registration are in this package too.
package webhook

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/webhook"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"github.com/seed-c5f95f19/vela/pkg/definition/check"
	"github.com/seed-c5f95f19/vela/pkg/delivery/blueprint"
	"github.com/seed-c5f95f19/vela/pkg/delivery/transform"
)

// Options are what the webhooks work with.
type Options struct {
	References  blueprint.References
	Definitions blueprint.Definitions
	// Check is how properties are checked. Its engines compile definitions too.
	Check blueprint.Options
	// Transform is what Application-scoped policies run with.
	Transform transform.Options
	// Strict refuses what is otherwise a warning.
	Strict bool
	// Permissions refuses Applications whose author may not read the definitions
	// that they use; one that is missing is refused too: nobody could ask later.
	Permissions bool
	// Registration says how the API server finds the webhooks.
	Registration Registration
	// Hub reads and writes without a cache.
	Hub   client.Client
	Clock clock.Clock
}

// A Registration says how the API server finds the webhooks: by a URL, then
// everything that is needed is written; or by a Service, then the configurations
// are the chart's and only learn whom to trust.
type Registration struct {
	URL       string // https://127.0.0.1:9443; "" means Service
	Service   string
	Namespace string // of the Service, and of the Secret with the certificate
	Name      string // of the configurations
	Policy    admissionregistrationv1.FailurePolicyType
}

// hosts are the names that the certificate is for.
func (r Registration) hosts() ([]string, error) {
	if r.URL == "" {
		return []string{r.Service + "." + r.Namespace + ".svc", r.Service + "." + r.Namespace + ".svc.cluster.local"}, nil
	}
	u, err := url.Parse(r.URL)
	if err != nil || u.Scheme != "https" || u.Hostname() == "" {
		return nil, fmt.Errorf("%q is not the https address of the webhooks", r.URL)
	}
	return []string{u.Hostname()}, nil
}

// Server returns the server for a manager. It takes its certificate from what
// Setup keeps; address is host:port.
func Server(address string, k *Keeper) (webhook.Server, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("address of the webhooks: %w", err)
	}
	number, err := strconv.Atoi(port)
	if err != nil || number < 1 || number > 65535 {
		return nil, fmt.Errorf("address of the webhooks: %q is no port", port)
	}
	return webhook.NewServer(webhook.Options{
		Host: host, Port: number,
		TLSOpts: []func(*tls.Config){func(c *tls.Config) {
			c.MinVersion = tls.VersionTLS12
			c.GetCertificate = k.certificate
		}},
	}), nil
}

// Setup makes sure that there is a certificate, and adds the webhooks and what
// keeps them registered to mgr, whose server must be one of Server with k.
func Setup(ctx context.Context, mgr ctrl.Manager, k *Keeper, o Options) error {
	if err := k.start(ctx, o); err != nil {
		return err
	}
	server := mgr.GetWebhookServer()
	decoder := admission.NewDecoder(mgr.GetScheme())
	apps := applications{Options: o, decoder: decoder}
	defs := definitions{
		decoder: decoder, engines: check.Engines{Templates: o.Check.Components, Steps: o.Check.Steps},
		reader: o.Hub, mapper: mgr.GetRESTMapper(),
	}
	for _, h := range hooks() {
		handler := admission.Handler(defs)
		switch {
		case h.mutating:
			handler = admission.HandlerFunc(apps.complete)
		case h.resource == "applications":
			handler = apps
		}
		server.Register(h.path, &admission.Webhook{Handler: handler})
	}
	if err := mgr.AddReadyzCheck("webhooks", server.StartedChecker()); err != nil {
		return err
	}
	return k.setup(mgr)
}

// denied refuses an object with one line for each mistake.
func denied(text string) admission.Response {
	if text == "" {
		text = "the object is refused"
	}
	return admission.Denied(text)
}

func bad(err error) admission.Response { return admission.Errored(http.StatusBadRequest, err) }

var errNoCertificate = errors.New("the webhooks have no certificate yet")
