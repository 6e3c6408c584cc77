package connect

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/cluster"
	"github.com/seed-c5f95f19/vela/references/cli/console"
)

// Application reads one Application. When it does not exist the error says
// where one with that name does.
func Application(ctx context.Context, c client.Reader, namespace, name string) (*v1beta1.Application, error) {
	app := &v1beta1.Application{}
	err := c.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, app)
	if apierrors.IsNotFound(err) && !missingKind(err) {
		return nil, console.Hint(fmt.Errorf("there is no application %q in namespace %q", name, namespace), elsewhere(ctx, c, name)...)
	}
	if err != nil {
		return nil, fmt.Errorf("read application %s/%s: %w", namespace, name, err)
	}
	app.SetGroupVersionKind(v1beta1.GroupVersion.WithKind(v1beta1.ApplicationKind))
	app.ManagedFields = nil
	return app, nil
}

// elsewhere looks for the name in other namespaces; without the permission
// to do so it says how to look.
func elsewhere(ctx context.Context, c client.Reader, name string) []string {
	var apps v1beta1.ApplicationList
	if err := c.List(ctx, &apps); err == nil {
		var found []string
		for _, app := range apps.Items {
			if app.Name == name {
				found = append(found, "there is one in namespace "+app.Namespace+": add -n "+app.Namespace)
			}
		}
		if len(found) > 0 {
			return found
		}
	}
	return []string{"see what is there: vela ls -A"}
}

// missingKind reports whether a not-found answer is about the kind itself.
func missingKind(err error) bool {
	return strings.Contains(err.Error(), "could not find the requested resource")
}

// Explain adds to an error of talking to the hub what the user can do.
func (f *Factory) Explain(err error) error {
	if err == nil || f.resolved.config == nil {
		return err
	}
	where := fmt.Sprintf("the cluster %s (%s)", f.resolved.config.Host, f.resolved.origin)
	if cause := silence(err); cause != "" {
		return console.Hint(fmt.Errorf("%s does not answer: %s", where, cause),
			"is it running? for clusters on this machine: vela local status",
			"another cluster: --kubeconfig FILE or --context NAME")
	}
	switch {
	case apierrors.IsNotFound(err) && missingKind(err):
		return console.Hint(fmt.Errorf("%s does not know vela's kinds: %w", where, err),
			"is it the right cluster? choose one with --kubeconfig or --context",
			"or install the control plane into it: chart charts/vela-core")
	case apierrors.IsUnauthorized(err):
		return console.Hint(fmt.Errorf("%s does not accept the credentials: %w", where, err),
			"renew the kubeconfig, or choose another with --kubeconfig")
	default:
		return err
	}
}

// silence is why the hub did not answer at all, "" when it did.
func silence(err error) string {
	var network *net.OpError
	var away *cluster.AwayError
	switch {
	case errors.As(err, &away) && away.Cluster == cluster.Local:
		return away.Reason
	case errors.As(err, &away):
		return "" // a member: the message says it already
	case errors.As(err, &network):
		return network.Error()
	default:
		return ""
	}
}
