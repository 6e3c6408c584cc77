// Command vela-core is the controller: it delivers Applications to their
// clusters and keeps them as they are wanted.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"

	"github.com/go-logr/logr"
	"github.com/spf13/pflag"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/seed-c5f95f19/vela/charts"
	"github.com/seed-c5f95f19/vela/pkg/controller"
	"github.com/seed-c5f95f19/vela/pkg/controller/install"
	"github.com/seed-c5f95f19/vela/pkg/cue/worker"
	"github.com/seed-c5f95f19/vela/pkg/definition"
	"github.com/seed-c5f95f19/vela/pkg/delivery/referred"
	"github.com/seed-c5f95f19/vela/pkg/version"
)

func main() {
	worker.Main() // this binary is also what evaluates templates
	c := defaults()
	fs := pflag.NewFlagSet("vela-core", pflag.ContinueOnError)
	c.bind(fs)
	showVersion := fs.Bool("version", false, "print the version and exit")
	if err := fs.Parse(os.Args[1:]); errors.Is(err, pflag.ErrHelp) {
		return // the usage is printed
	} else if err != nil {
		fail(err)
	}
	if *showVersion {
		fmt.Println(version.String())
		return
	}
	if err := c.Validate(); err != nil {
		fail(err)
	}
	log := logr.FromSlogHandler(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.Level(-c.Verbosity)}))
	ctrl.SetLogger(log)
	klog.SetLogger(log)
	if err := run(ctrl.LoggerInto(ctrl.SetupSignalHandler(), log), c); err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "vela-core:", err)
	os.Exit(1)
}

// run installs what is asked for and works until ctx ends.
func run(ctx context.Context, c Config) error {
	cfg, err := restConfig(c.Kubeconfig)
	if err != nil {
		return err
	}
	if c.Install {
		if err := install.Everything(ctx, cfg, charts.CRDs, definition.BuiltinObjects()); err != nil {
			return err
		}
	}
	scheme, err := controller.Scheme()
	if err != nil {
		return err
	}
	options := ctrl.Options{
		Scheme:                        scheme,
		Metrics:                       metricsserver.Options{BindAddress: c.MetricsAddress},
		HealthProbeBindAddress:        c.HealthAddress,
		PprofBindAddress:              c.PprofAddress,
		LeaderElection:                c.LeaderElection,
		LeaderElectionID:              "vela-core",
		LeaderElectionNamespace:       c.LeaderNamespace,
		LeaderElectionReleaseOnCancel: true,
		Client:                        controller.ClientOptions(),
		Cache:                         controller.CacheOptions(),
	}
	keeper, err := c.Admission.prepare(&options)
	if err != nil {
		return err
	}
	mgr, err := ctrl.NewManager(cfg, options)
	if err != nil {
		return err
	}
	for name, add := range map[string]func(string, healthz.Checker) error{"ping": mgr.AddHealthzCheck, "cache": mgr.AddReadyzCheck} {
		if err := add(name, healthz.Ping); err != nil {
			return err
		}
	}
	if err := controller.Setup(mgr, controller.Options{
		Concurrency:      c.Concurrency,
		RevisionLimit:    c.RevisionLimit,
		DefinitionLimit:  c.DefinitionLimit,
		Sandbox:          worker.NewPool(worker.Options{}),
		RenderingEffects: c.HTTPEffects,
		Gates:            c.Gates,
		Referred:         referred.Scope(c.Referred),
		Admission: func(j controller.Judgement) error {
			return c.Admission.setup(ctx, mgr, cfg, keeper, j)
		},
	}); err != nil {
		return err
	}
	return mgr.Start(ctx)
}

// restConfig reads the kubeconfig. Requests are not throttled here: the API
// server's own fairness decides, and what we send is bounded by concurrency.
func restConfig(path string) (*rest.Config, error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = path
	cfg, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, nil).ClientConfig()
	if err != nil {
		return nil, fmt.Errorf("--kubeconfig: %w", err)
	}
	cfg.QPS, cfg.Burst = -1, -1
	cfg.UserAgent = "vela-core/" + version.String()
	return cfg, nil
}
