// Package blueprint turns an Application into the frozen input of a delivery.
//
// Parse merges in what the Application refers to by name (policies, a
// workflow), names what has no name and writes down the steps that nobody
// wrote. Resolve pins every definition that is used and checks all properties
// against them. The result is a value: nothing after it asks a cluster what a
// definition says. This package renders nothing and writes nothing; revision
// stores what it made, policy and render work on it.
package blueprint

import (
	"context"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1alpha1"
	"github.com/seed-c5f95f19/vela/pkg/cue"
	"github.com/seed-c5f95f19/vela/pkg/definition"
)

// References reads what an Application refers to by name in its namespace. A
// missing object is an error that apierrors.IsNotFound recognises.
type References interface {
	Policy(ctx context.Context, namespace, name string) (*v1alpha1.Policy, error)
	Workflow(ctx context.Context, namespace, name string) (*v1alpha1.Workflow, error)
}

// Definitions finds definitions for an Application of a namespace. A missing
// one is an error that definition.ErrNotFound is found in.
type Definitions interface {
	Get(ctx context.Context, namespace string, ref definition.Ref) (definition.Definition, error)
}

// Objects finds the objects that a component refers to, ready to be created
// anew.
type Objects interface {
	Find(ctx context.Context, namespace string, c Component) ([]map[string]any, error)
}

// Options are what Resolve checks with.
type Options struct {
	// Components compiles the templates of components, traits and policies,
	// Steps those of workflow steps. Both are needed.
	Components *cue.Engine
	Steps      *cue.Engine
	// Strict makes an unknown property an error instead of a warning.
	Strict bool
	// Objects finds what components of the type ref-objects refer to; nil: they
	// are refused.
	Objects Objects
	// Memo spares checks that were done before; nil checks everything.
	Memo *Memo
}
