package controller

import (
	"context"
	"fmt"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/controller/definition"
	"github.com/seed-c5f95f19/vela/pkg/test/build"
	"github.com/seed-c5f95f19/vela/pkg/test/env"
)

// BenchmarkAtRest is one look at an Application of a hundred components of which
// nothing has changed: what each event of one of its objects costs.
func BenchmarkAtRest(b *testing.B) {
	const components = 100
	scheme, err := Scheme()
	if err != nil {
		b.Fatal(err)
	}
	mgr, err := ctrl.NewManager(env.Config(b), ctrl.Options{
		Scheme: scheme, Metrics: metricsserver.Options{BindAddress: "0"}, HealthProbeBindAddress: "0",
		Client: ClientOptions(), Cache: CacheOptions(),
	})
	if err != nil {
		b.Fatal(err)
	}
	r, _, err := wire(mgr, Options{RevisionLimit: 10}, &definition.Troubles{})
	if err != nil {
		b.Fatal(err)
	}
	ctx, stop := context.WithCancel(b.Context())
	ended := make(chan error)
	go func() { ended <- mgr.Start(ctx) }()
	defer func() {
		stop()
		if err := <-ended; err != nil {
			b.Error(err)
		}
	}()

	hub, ns := env.Client(b), env.Namespace(b)
	app := build.App(ns + "/many")
	for i := range components {
		app = app.Component(fmt.Sprint("web-", i), "webservice", `{"image":"nobody/runs:this"}`).Trait("scaler", `{"replicas":2}`)
	}
	env.Create(b, app.Object())
	req := ctrl.Request{NamespacedName: client.ObjectKeyFromObject(app.Object())}
	env.Eventually(b, "the Application to run", func() (bool, error) {
		if _, err := r.Reconcile(ctx, req); err != nil {
			return false, err
		}
		list := &appsv1.DeploymentList{}
		if err := hub.List(ctx, list, client.InNamespace(ns)); err != nil {
			return false, err
		}
		for _, d := range list.Items {
			if d.Status.ReadyReplicas > 0 {
				continue
			}
			d.Status = appsv1.DeploymentStatus{ObservedGeneration: d.Generation, Replicas: 2, UpdatedReplicas: 2, ReadyReplicas: 2, AvailableReplicas: 2}
			if err := hub.Status().Update(ctx, &d); err != nil {
				return false, err
			}
		}
		got := &v1beta1.Application{}
		err := hub.Get(ctx, req.NamespacedName, got)
		return got.Status.Phase == v1beta1.ApplicationRunning, err
	})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.Reconcile(ctx, req); err != nil {
			b.Fatal(err)
		}
	}
}
