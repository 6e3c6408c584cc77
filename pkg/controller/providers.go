package controller

import (
	"context"

	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/seed-c5f95f19/vela/pkg/config"
	"github.com/seed-c5f95f19/vela/pkg/controller/packages"
	"github.com/seed-c5f95f19/vela/pkg/cue"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider/all"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider/email"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider/helm"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider/http"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider/kube"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider/util"
	"github.com/seed-c5f95f19/vela/pkg/delivery"
	"github.com/seed-c5f95f19/vela/pkg/delivery/inspect"
	charts "github.com/seed-c5f95f19/vela/pkg/helm"
	"github.com/seed-c5f95f19/vela/pkg/oam"
)

// means are what templates reach the world with: the parts that all runs share.
type means struct {
	web      *http.Client
	charts   *charts.Store
	mail     *email.Sender
	configs  *config.Store
	packages *packages.Reconciler
	effects  bool // renderings may send requests of every method
}

func newMeans(hub client.Client, templates *cue.Engine, pkgs *packages.Reconciler, effects bool) means {
	web := http.NewClient(nil, nil)
	return means{
		web: web, charts: charts.NewStore(charts.Options{Dial: web.Dial, Seed: helm.Seed(hub, hub)}), mail: email.NewSender(web.Dial, nil), packages: pkgs, effects: effects,
		configs: &config.Store{
			Client: hub, Engine: templates, System: oam.SystemNamespace, Web: web,
			// A template of configs belongs to the installation and validates; it reads
			// nothing of the clusters.
			Actions: all.Definition(all.Deps{HTTP: http.Options{Client: web}}),
		},
	}
}

// rendering are the actions of templates while they render. What they read,
// Secrets too, is in the namespace of their Application.
func (m means) rendering(run *delivery.Run) provider.Table {
	return all.Definition(all.Deps{
		Namespace: run.Owner.Namespace, Reader: run.Own(), Charts: m.charts, External: m.packages.Actions(m.web),
		HTTP: http.Options{
			Client: m.web, Namespace: run.Owner.Namespace, Secrets: kube.Secrets{Reader: run.Own()}, Effects: m.effects,
		},
	})
}

// transforming are the actions of policies that change Applications of a namespace
// before these are delivered. Those of the whole installation read what the
// control plane can; it decides which of it goes where.
func (m means) transforming(d *delivery.Delivery) func(namespace string, trusted bool) provider.Table {
	return func(namespace string, trusted bool) provider.Table {
		reader := d.Reader(namespace, trusted)
		return all.Definition(all.Deps{
			Namespace: namespace, Reader: reader, Charts: m.charts, External: m.packages.Actions(m.web),
			HTTP: http.Options{Client: m.web, Namespace: namespace, Secrets: kube.Secrets{Reader: reader}, Effects: m.effects},
		})
	}
}

// steps are what the templates of workflow steps stand on.
func (m means) steps(run *delivery.Run, world inspect.World) all.Deps {
	world.As = run.As
	objects := run.Objects()
	return all.Deps{
		Namespace: run.Owner.Namespace, Reader: objects, Writer: objects, World: world, Charts: m.charts,
		Fleet: run, Envs: run, Modules: run, Application: run,
		Configs: m.configs, Mail: m.mail, Log: stepLog{}, External: m.packages.Actions(m.web),
		HTTP: http.Options{Client: m.web, Namespace: run.Owner.Namespace, Secrets: kube.Secrets{Reader: objects}},
	}
}

// stepLog writes what steps log to the log of the controller. What is logged may
// be more than everybody should read, so it takes the verbosity that its author
// gave it, 3 for most.
type stepLog struct{}

// Log implements util.Log.
func (stepLog) Log(ctx context.Context, e util.Entry) {
	log.FromContext(ctx).V(e.Level).Info("Step logs", "data", e.Data, "source", e.Source)
}
