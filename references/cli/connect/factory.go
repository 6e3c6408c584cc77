// Package connect gives commands what they need to reach a cluster, when they
// need it: the kubeconfig that applies, a client for vela's kinds, and the
// namespaces. Nothing is read or dialled before a command asks, so help and
// completion work without any cluster.
package connect

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/spf13/pflag"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/seed-c5f95f19/vela/pkg/cue"
	"github.com/seed-c5f95f19/vela/pkg/oam"
	"github.com/seed-c5f95f19/vela/references/cli/console"
)

// A Factory makes clients lazily. Create it with New; it is safe for
// concurrent use after the flags are parsed.
type Factory struct {
	IO      console.IO
	Getenv  func(string) string
	HomeDir string

	// Flags that every command has.
	Kubeconfig string
	Context    string
	Verbose    bool

	// Server answers instead of a real cluster when it is set (tests).
	Server client.WithWatch

	// Sandbox evaluates definitions that did not come with the program; nil means
	// that this process does.
	Sandbox cue.Sandbox

	told     told
	once     sync.Once
	resolved resolved
	err      error
}

// resolved is what the flags and the environment lead to.
type resolved struct {
	config    *rest.Config
	http      *http.Client
	namespace string
	origin    string // where the configuration comes from, for people
}

// New returns a Factory for the process environment that the caller read.
func New(io console.IO, getenv func(string) string, homeDir string) *Factory {
	return &Factory{IO: io, Getenv: getenv, HomeDir: homeDir}
}

// BindFlags adds the flags that choose the cluster.
func (f *Factory) BindFlags(flags *pflag.FlagSet) {
	flags.StringVar(&f.Kubeconfig, "kubeconfig", "", "kubeconfig `file` (default $KUBECONFIG, ~/.kube/config, or the hub of a running vela-local)")
	flags.StringVar(&f.Context, "context", "", "`name` of the kubeconfig context to use")
	flags.BoolVarP(&f.Verbose, "verbose", "v", false, "say which cluster is used, and more")
}

// Config returns the configuration of the hub. The caller must not modify it.
func (f *Factory) Config() (*rest.Config, error) {
	f.once.Do(func() {
		f.resolved, f.err = f.resolve()
		if f.err == nil && f.Verbose {
			f.IO.Notef("Using %s (%s)", f.resolved.config.Host, f.resolved.origin)
		}
	})
	return f.resolved.config, f.err
}

// Namespace returns the namespace to use when neither a flag nor the document
// names one. It needs no cluster.
func (f *Factory) Namespace() string {
	if f.Server != nil {
		return "default"
	}
	if _, err := f.Config(); err != nil || f.resolved.namespace == "" {
		return "default"
	}
	return f.resolved.namespace
}

// SystemNamespace is where definitions and clusters of the installation live.
func (f *Factory) SystemNamespace() string {
	if ns := f.Getenv("DEFAULT_VELA_NS"); ns != "" {
		return ns
	}
	return oam.SystemNamespace
}

// Client returns a client for vela's kinds. It knows where they are served
// without asking, so that a list is one request.
func (f *Factory) Client() (client.WithWatch, error) {
	if f.Server != nil {
		return f.Server, nil
	}
	return f.client(Mapper())
}

// AnyClient returns a client for every kind; kinds that are not vela's are
// discovered when first used.
func (f *Factory) AnyClient() (client.WithWatch, error) {
	if f.Server != nil {
		return f.Server, nil
	}
	config, err := f.Config()
	if err != nil {
		return nil, err
	}
	mapper, err := dynamicMapper(config, f.resolved.http)
	if err != nil {
		return nil, err
	}
	return f.client(meta.FirstHitRESTMapper{MultiRESTMapper: meta.MultiRESTMapper{Mapper(), mapper}})
}

func (f *Factory) client(mapper meta.RESTMapper) (client.WithWatch, error) {
	config, err := f.Config()
	if err != nil {
		return nil, err
	}
	c, err := client.NewWithWatch(config, client.Options{Scheme: Scheme(), Mapper: mapper, HTTPClient: f.resolved.http})
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", config.Host, err)
	}
	return c, nil
}

// resolve finds the kubeconfig: the flag, KUBECONFIG, ~/.kube/config, the pod
// that we run in, and last the hub of vela-local.
func (f *Factory) resolve() (resolved, error) {
	rules := &clientcmd.ClientConfigLoadingRules{ExplicitPath: f.Kubeconfig}
	origin := "--kubeconfig " + f.Kubeconfig
	if f.Kubeconfig == "" {
		files, from := f.kubeconfigs()
		if len(files) == 0 && f.Getenv("KUBERNETES_SERVICE_HOST") != "" {
			return f.inCluster()
		}
		if len(files) == 0 {
			return resolved{}, f.noCluster()
		}
		rules.Precedence, origin = files, from
	}
	loader := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, &clientcmd.ConfigOverrides{CurrentContext: f.Context})
	config, err := loader.ClientConfig()
	if err != nil {
		return resolved{}, fmt.Errorf("read the kubeconfig (%s): %w", origin, err)
	}
	namespace, _, err := loader.Namespace()
	if err != nil {
		return resolved{}, fmt.Errorf("read the kubeconfig (%s): %w", origin, err)
	}
	return f.finish(config, namespace, origin)
}

// kubeconfigs lists the kubeconfig files that exist, and says which rule found
// them. A KUBECONFIG that is set but leads nowhere counts as found: silently
// talking to another cluster would be worse than an error.
func (f *Factory) kubeconfigs() (files []string, origin string) {
	if env := f.Getenv("KUBECONFIG"); env != "" {
		return filepath.SplitList(env), "KUBECONFIG=" + env
	}
	for _, candidate := range []struct{ path, origin string }{
		{filepath.Join(f.HomeDir, ".kube", "config"), "~/.kube/config"},
		{f.localHub(), "the hub of vela-local"},
	} {
		if _, err := os.Stat(candidate.path); err == nil {
			return []string{candidate.path}, candidate.origin
		}
	}
	return nil, ""
}

// localHub is the kubeconfig of the hub that `vela local start` runs.
func (f *Factory) localHub() string {
	return filepath.Join(f.HomeDir, ".vela", "local", "clusters", "hub", "kubeconfig")
}

func (f *Factory) inCluster() (resolved, error) {
	config, err := rest.InClusterConfig()
	if err != nil {
		return resolved{}, fmt.Errorf("read the service account of this pod: %w", err)
	}
	namespace, err := os.ReadFile("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
	if err != nil {
		return resolved{}, fmt.Errorf("read the namespace of this pod: %w", err)
	}
	return f.finish(config, strings.TrimSpace(string(namespace)), "the service account of this pod")
}

func (f *Factory) finish(config *rest.Config, namespace, origin string) (resolved, error) {
	config.QPS, config.Burst = 50, 100
	config.UserAgent = "vela-cli"
	config.WarningHandlerWithContext = f
	httpClient, err := rest.HTTPClientFor(config)
	if err != nil {
		return resolved{}, fmt.Errorf("connect to %s (%s): %w", config.Host, origin, err)
	}
	return resolved{config: config, http: httpClient, namespace: namespace, origin: origin}, nil
}

// noCluster is what a newcomer sees first: it says how to get a cluster.
func (f *Factory) noCluster() error {
	return console.Hint(fmt.Errorf("no cluster: there is no --kubeconfig, KUBECONFIG is not set, and neither ~/.kube/config nor a vela-local hub (%s) exists", f.localHub()),
		"start clusters on this machine: vela local start",
		"or name the cluster to use: vela --kubeconfig FILE ...")
}

// Scheme knows vela's kinds.
func Scheme() *runtime.Scheme {
	scheme := runtime.NewScheme()
	addKinds(scheme)
	return scheme
}
