// Package config is the provider package "vela/config": templates check what a
// config holds, and workflow steps create, delete, read and list configs.
//
// Configs are kept behind Store, which pkg/config implements. Checks leave
// through the guarded client of vela/http; a check that fails is an answer, not
// an error.
package config

import (
	"context"
	_ "embed"

	"github.com/seed-c5f95f19/vela/pkg/cue/provider"
	velahttp "github.com/seed-c5f95f19/vela/pkg/cue/provider/http"
)

//go:embed definition.cue
var definitionSchema string

//go:embed workflow.cue
var workflowSchema string

// A Config is a named set of properties.
type Config struct {
	Namespace, Name    string
	Template           string // as name or namespace/name; empty without one
	Alias, Description string
	Properties         map[string]any
}

// A Store keeps configs. It is safe for concurrent use.
type Store interface {
	// Save creates a config or changes one that exists.
	Save(ctx context.Context, c Config) error
	// Delete removes a config and what its template has made for it. One that is
	// absent is no error.
	Delete(ctx context.Context, namespace, name string) error
	// Read returns a config. It is an error if it is absent or sensitive.
	Read(ctx context.Context, namespace, name string) (Config, error)
	// List returns the configs of a template by name, without the properties of
	// sensitive ones.
	List(ctx context.Context, namespace, template string) ([]Config, error)
}

// Options are what the package needs; actions of a part that is nil are not
// offered.
type Options struct {
	Client *velahttp.Client // of checks
	Store  Store
}

// DefinitionSchema is the text that components, traits, policies and templates
// of configs import.
func DefinitionSchema() provider.Schema {
	return provider.Schema{Path: "vela/config", Text: definitionSchema}
}

// WorkflowSchema is the text that workflow steps import: the same and more.
func WorkflowSchema() provider.Schema {
	return provider.Schema{Path: "vela/config", Text: definitionSchema + workflowSchema}
}

// Definition returns the package for components, traits, policies and templates
// of configs.
func Definition(o Options) provider.Package {
	p := provider.Package{Name: "config", Schema: definitionSchema, Read: provider.Actions{}}
	if o.Client != nil {
		p.Read["image-registry"] = provider.Func(o.imageRegistry)
		p.Read["helm-repository"] = provider.Func(o.helmRepository)
	}
	return p
}

// Workflow returns the package for workflow steps, whose older dialect calls the
// actions by longer names.
func Workflow(o Options) provider.Package {
	p := Definition(o)
	p.Schema, p.Write = definitionSchema+workflowSchema, provider.Actions{}
	if o.Store == nil {
		return p
	}
	for _, suffix := range []string{"", "-config"} {
		p.Write["create"+suffix] = provider.Func(o.create)
		p.Write["delete"+suffix] = provider.Func(o.delete)
		p.Read["read"+suffix] = provider.Func(o.read)
		p.Read["list"+suffix] = provider.Func(o.list)
	}
	return p
}

type name struct {
	Name      string `json:"name"`
	Namespace string `json:"namespace"`
}

type createIn struct {
	name
	Template string         `json:"template"`
	Config   map[string]any `json:"config"`
}

func (o Options) create(ctx context.Context, in createIn) (any, error) {
	return nil, o.Store.Save(ctx, Config{Namespace: in.Namespace, Name: in.Name, Template: in.Template, Properties: in.Config})
}

func (o Options) delete(ctx context.Context, in name) (any, error) {
	return nil, o.Store.Delete(ctx, in.Namespace, in.Name)
}

func (o Options) read(ctx context.Context, in name) (any, error) {
	c, err := o.Store.Read(ctx, in.Namespace, in.Name)
	if err != nil {
		return nil, err
	}
	return map[string]any{"config": orEmpty(c.Properties)}, nil
}

type listIn struct {
	Template  string `json:"template"`
	Namespace string `json:"namespace"`
}

func (o Options) list(ctx context.Context, in listIn) (any, error) {
	found, err := o.Store.List(ctx, in.Namespace, in.Template)
	if err != nil {
		return nil, err
	}
	configs := make([]any, len(found))
	for i, c := range found {
		configs[i] = map[string]any{"name": c.Name, "alias": c.Alias, "description": c.Description, "config": orEmpty(c.Properties)}
	}
	return map[string]any{"configs": configs}, nil
}

func orEmpty(m map[string]any) map[string]any {
	if m == nil {
		return map[string]any{}
	}
	return m
}
