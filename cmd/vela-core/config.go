package main

import (
	"errors"
	"fmt"

	"github.com/spf13/pflag"

	"github.com/seed-c5f95f19/vela/pkg/delivery/referred"
	"github.com/seed-c5f95f19/vela/pkg/delivery/transform"
)

// Config is everything that an operator can set. The zero value is not
// usable; start from defaults.
type Config struct {
	Kubeconfig      string
	Install         bool
	MetricsAddress  string
	HealthAddress   string
	Concurrency     int
	LeaderElection  bool
	LeaderNamespace string
	RevisionLimit   int
	Verbosity       int
	HTTPEffects     bool
	PprofAddress    string
	Gates           transform.Gates
	Referred        string
	DefinitionLimit int
	Admission       Admission
}

func defaults() Config {
	return Config{
		MetricsAddress:  "127.0.0.1:8080",
		HealthAddress:   "127.0.0.1:8081",
		Concurrency:     4,
		LeaderNamespace: "vela-system",
		RevisionLimit:   10,
		Referred:        string(referred.InNamespace),
		DefinitionLimit: 20,
		Admission: Admission{
			Address: ":9443", Service: "vela-core-webhook", Namespace: "vela-system",
			Configuration: "kubevela-vela-core-admission", FailurePolicy: "Fail",
		},
	}
}

// bind connects the fields with their flags.
func (c *Config) bind(fs *pflag.FlagSet) {
	fs.StringVar(&c.Kubeconfig, "kubeconfig", c.Kubeconfig, "kubeconfig of the hub; empty: $KUBECONFIG, then the service account of the pod")
	fs.BoolVar(&c.Install, "install", c.Install, "create or update the CRDs, the namespace vela-system and the built-in definitions at start")
	fs.StringVar(&c.MetricsAddress, "metrics-bind-address", c.MetricsAddress, "address of the metrics endpoint; 0 turns it off")
	fs.StringVar(&c.HealthAddress, "health-probe-bind-address", c.HealthAddress, "address of /healthz and /readyz; 0 turns it off")
	fs.IntVar(&c.Concurrency, "concurrent-reconciles", c.Concurrency, "how many Applications are worked on at the same time")
	fs.BoolVar(&c.LeaderElection, "leader-elect", c.LeaderElection, "work only while holding a lease; for more than one replica")
	fs.StringVar(&c.LeaderNamespace, "leader-election-namespace", c.LeaderNamespace, "namespace of the lease")
	fs.IntVar(&c.RevisionLimit, "application-revision-limit", c.RevisionLimit, "how many revisions of an Application are kept, besides the newest")
	fs.IntVar(&c.DefinitionLimit, "definition-revision-limit", c.DefinitionLimit, "how many revisions of a definition are kept, besides the newest and those that Applications name")
	c.Admission.bind(fs)
	fs.BoolVar(&c.HTTPEffects, "allow-http-effects-in-rendering", c.HTTPEffects, "let components, traits and policies send HTTP requests that may change something (POST, PUT, PATCH, DELETE) whenever they are rendered")
	fs.Var(&c.Gates, "feature-gates", "what is off by default: EnableApplicationScopedPolicies=true lets policies change Applications, EnableGlobalPolicies=true also those that no Application names")
	fs.StringVar(&c.Referred, "ref-objects-available-scope", c.Referred, "what components of the type ref-objects may copy: objects of the namespace of their Application, of any namespace of the hub (cluster), or of all clusters (global)")
	fs.StringVar(&c.PprofAddress, "pprof-bind-address", c.PprofAddress, "address of the Go profiler; empty: off")
	fs.IntVarP(&c.Verbosity, "verbosity", "v", c.Verbosity, "0: what changed, 1: the flow")
}

// Validate says which flag has a value that cannot work.
func (c *Config) Validate() error {
	var errs []error
	if c.Concurrency < 1 {
		errs = append(errs, fmt.Errorf("--concurrent-reconciles is %d, want at least 1", c.Concurrency))
	}
	if c.RevisionLimit < 1 {
		errs = append(errs, fmt.Errorf("--application-revision-limit is %d, want at least 1: a rollback needs a revision", c.RevisionLimit))
	}
	if c.DefinitionLimit < 0 {
		errs = append(errs, fmt.Errorf("--definition-revision-limit is %d, want 0 or more", c.DefinitionLimit))
	}
	errs = append(errs, c.Admission.validate())
	switch referred.Scope(c.Referred) {
	case referred.InNamespace, referred.InCluster, referred.Anywhere:
	default:
		errs = append(errs, fmt.Errorf("--ref-objects-available-scope is %q, want namespace, cluster or global", c.Referred))
	}
	return errors.Join(errs...)
}
