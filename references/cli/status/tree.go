package status

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/xlab/treeprint"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/oam"
	"github.com/seed-c5f95f19/vela/references/cli/connect"
	"github.com/seed-c5f95f19/vela/references/cli/progress"
)

// tree writes what the Application owns: cluster, namespace, component, object.
// The trackers know which component an object came from; one list request
// reads them all.
func tree(ctx context.Context, c client.Reader, view progress.View, w io.Writer, app *v1beta1.Application) error {
	owned, err := connect.Owned(ctx, c, app)
	if err != nil {
		return err
	}
	root := treeprint.NewWithRoot(view.Style.Bold(app.Name))
	branches := map[string]treeprint.Tree{}
	branch := func(parent treeprint.Tree, path, text string) treeprint.Tree {
		if branches[path] == nil {
			branches[path] = parent.AddBranch(text)
		}
		return branches[path]
	}
	for _, r := range owned {
		cluster := cmp.Or(r.Cluster, oam.LocalCluster)
		namespace := cmp.Or(r.Namespace, "(cluster-wide)")
		at := branch(root, cluster, cluster)
		at = branch(at, cluster+"/"+namespace, namespace)
		if r.Component != "" {
			at = branch(at, cluster+"/"+namespace+"/"+r.Component, component(view, app, r))
		}
		at.AddNode(object(view, r))
	}
	fmt.Fprint(w, root.String())
	return nil
}

// component names a component with its health in the place of r.
func component(view progress.View, app *v1beta1.Application, r v1beta1.ManagedResource) string {
	text := r.Component
	if kind := progress.Type(app, r.Component); kind != "" {
		text += view.Style.Dim(" (" + kind + ")")
	}
	for _, s := range app.Status.Services {
		if s.Name != r.Component || cmp.Or(s.Cluster, oam.LocalCluster) != cmp.Or(r.Cluster, oam.LocalCluster) {
			continue
		}
		if s.Namespace != "" && r.Namespace != "" && s.Namespace != r.Namespace {
			continue
		}
		word := view.Style.Good("healthy")
		if !s.Healthy {
			word = view.Style.Bad("unhealthy")
		}
		text += " " + word
		if explain := progress.Explain(s); explain != "" {
			text += " " + explain
		}
		break
	}
	return text
}

func object(view progress.View, r v1beta1.ManagedResource) string {
	text := r.Kind + "/" + r.Name
	var notes []string
	if r.Trait != "" && r.Trait != oam.AuxiliaryWorkload {
		notes = append(notes, "trait "+r.Trait)
	}
	if r.Deleted {
		notes = append(notes, "being deleted")
	}
	if r.SkipGC {
		notes = append(notes, "kept when the application goes")
	}
	if len(notes) > 0 {
		text += view.Style.Dim(" (" + strings.Join(notes, ", ") + ")")
	}
	return text
}
