package installed

import (
	"context"
	"errors"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/runtime"

	"github.com/seed-c5f95f19/vela/pkg/definition"
	"github.com/seed-c5f95f19/vela/references/cli/connect"
	"github.com/seed-c5f95f19/vela/references/cli/def/author"
)

// Where says where to look for definitions.
type Where struct {
	Files     []string // come first
	Namespace string   // whose definitions count, before those for everybody
	Offline   bool     // ask no cluster
}

// patience is how long a cluster may take before it is left out.
const patience = 5 * time.Second

// Known returns the definitions in files, in the cluster when there is one, and
// in this binary, in this order. It is for commands that describe definitions:
// a cluster that does not answer is said and left out.
func Known(ctx context.Context, f *connect.Factory, w Where) (definition.Source, error) {
	var sources []definition.Source
	if len(w.Files) > 0 {
		defs, err := author.Read(ctx, f.IO.In, w.Files...)
		if err != nil {
			return nil, err
		}
		var objs []runtime.Object
		for _, d := range defs {
			objs = append(objs, d.Wire)
		}
		set, err := definition.Of(objs...)
		if err != nil {
			return nil, err
		}
		sources = append(sources, set)
	}
	if !w.Offline {
		if s := cluster(ctx, f, w.Namespace); s != nil {
			sources = append(sources, s)
		}
	}
	builtin, err := definition.Builtin()
	if err != nil {
		return nil, err
	}
	return definition.Chain(append(sources, builtin)...), nil
}

// cluster returns the definitions of the cluster, nil when nobody answers.
func cluster(ctx context.Context, f *connect.Factory, namespace string) definition.Source {
	c, err := f.Client()
	if err != nil {
		if f.Verbose {
			f.IO.Notef("No cluster is asked: %s", err)
		}
		return nil
	}
	s := definition.Cluster(c, f.SystemNamespace())
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if _, err := s.Names(ctx, namespace, definition.Component); err != nil {
		f.IO.Notef("The cluster is left out: %s", err)
		return nil
	}
	return s
}

// Choose returns the definitions of that name, of every kind or only of one.
func Choose(ctx context.Context, s definition.Source, namespace, typ, name string) ([]definition.Definition, error) {
	var out []definition.Definition
	var missing error
	for _, kind := range author.Kinds() {
		if typ != "" && typ != string(kind) && (typ != "workload" || kind != definition.Component) {
			continue
		}
		ref, err := definition.ParseRef(kind, name)
		if err != nil {
			return nil, err
		}
		d, err := s.Get(ctx, namespace, ref)
		if err != nil {
			missing = nearer(missing, err)
			continue
		}
		out = append(out, d)
	}
	var unknown *definition.NotFoundError
	switch {
	case len(out) > 0:
		return out, nil
	case errors.As(missing, &unknown) && len(unknown.Near) == 0 && typ == "":
		return nil, fmt.Errorf("no component, trait, policy or step type is called %q", name)
	}
	return nil, missing
}

// All returns every definition of a source, of every kind or only of one.
func All(ctx context.Context, s definition.Source, namespace, typ string) ([]definition.Definition, error) {
	var out []definition.Definition
	for _, kind := range author.Kinds() {
		if typ != "" && typ != string(kind) && (typ != "workload" || kind != definition.Component) {
			continue
		}
		names, err := s.Names(ctx, namespace, kind)
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			d, err := s.Get(ctx, namespace, definition.Ref{Kind: kind, Name: name})
			if err != nil {
				return nil, err
			}
			out = append(out, d)
		}
	}
	return out, nil
}
