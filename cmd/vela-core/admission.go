package main

import (
	"context"
	"fmt"

	"github.com/spf13/pflag"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/seed-c5f95f19/vela/pkg/controller"
	"github.com/seed-c5f95f19/vela/pkg/webhook"
)

// Admission is what an operator can set about the webhooks.
type Admission struct {
	Use           bool
	Address       string
	URL           string
	Service       string
	Namespace     string
	Configuration string
	FailurePolicy string
	Strict        bool
	Permissions   bool
}

func (a *Admission) bind(fs *pflag.FlagSet) {
	fs.BoolVar(&a.Use, "use-webhook", a.Use, "answer the API server before Applications and definitions are stored: refuse mistakes, warn of doubts")
	fs.StringVar(&a.Address, "webhook-bind-address", a.Address, "address of the webhooks")
	fs.StringVar(&a.URL, "webhook-url", a.URL, "https address under which the API server reaches the webhooks; they are registered under it. Empty: by the Service, registered by the chart")
	fs.StringVar(&a.Service, "webhook-service", a.Service, "Service of the webhooks")
	fs.StringVar(&a.Namespace, "webhook-namespace", a.Namespace, "namespace of that Service, and of the Secret with the certificate")
	fs.StringVar(&a.Configuration, "webhook-configuration", a.Configuration, "name of the webhook configurations")
	fs.StringVar(&a.FailurePolicy, "webhook-failure-policy", a.FailurePolicy, "what the API server does while no replica answers: Fail refuses changes of what the webhooks judge, Ignore stores them unseen")
	fs.BoolVar(&a.Strict, "webhook-strict", a.Strict, "refuse what is otherwise a warning: unknown properties, missing definitions, traits on workloads that they are not made for")
	fs.BoolVar(&a.Permissions, "webhook-definition-permissions", a.Permissions, "refuse Applications whose author may not get the definitions that they use")
}

func (a *Admission) validate() error {
	if !a.Use {
		return nil
	}
	switch admissionregistrationv1.FailurePolicyType(a.FailurePolicy) {
	case admissionregistrationv1.Fail, admissionregistrationv1.Ignore:
		return nil
	}
	return fmt.Errorf("--webhook-failure-policy is %q, want Fail or Ignore", a.FailurePolicy)
}

// prepare adds the server of the webhooks to the options of a manager. The Keeper
// is nil when they are not used.
func (a *Admission) prepare(o *ctrl.Options) (*webhook.Keeper, error) {
	if !a.Use {
		return nil, nil
	}
	k := &webhook.Keeper{}
	server, err := webhook.Server(a.Address, k)
	if err != nil {
		return nil, fmt.Errorf("--webhook-bind-address: %w", err)
	}
	o.WebhookServer = server
	return k, nil
}

// setup adds the webhooks, which judge as the controllers do.
func (a *Admission) setup(ctx context.Context, mgr ctrl.Manager, cfg *rest.Config, k *webhook.Keeper, j controller.Judgement) error {
	if k == nil {
		return nil
	}
	hub, err := client.New(cfg, client.Options{Scheme: mgr.GetScheme(), HTTPClient: mgr.GetHTTPClient()})
	if err != nil {
		return err
	}
	err = webhook.Setup(ctx, mgr, k, webhook.Options{
		References: j.References, Definitions: j.Definitions, Check: j.Check, Transform: j.Transform, Strict: a.Strict, Permissions: a.Permissions, Hub: hub, Clock: clock.RealClock{},
		Registration: webhook.Registration{
			URL: a.URL, Service: a.Service, Namespace: a.Namespace, Name: a.Configuration,
			Policy: admissionregistrationv1.FailurePolicyType(a.FailurePolicy),
		},
	})
	if err != nil {
		return fmt.Errorf("--use-webhook: %w", err)
	}
	return nil
}
