// Package all is the list of provider packages: what components, traits and
// policies can import, and what workflow steps can.
//
// The texts are fixed, so that an engine can be made from them once. The actions
// belong to one run: whoever makes them says which clusters, which Application
// and which identity they act for. Something that is not given is not offered.
package all

import (
	"github.com/seed-c5f95f19/vela/pkg/cue/provider"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider/base64"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider/builtin"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider/config"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider/cue"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider/email"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider/helm"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider/http"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider/kube"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider/metrics"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider/multicluster"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider/oam"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider/op"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider/query"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider/terraform"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider/time"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider/util"
	charts "github.com/seed-c5f95f19/vela/pkg/helm"
)

// Deps are what the actions of one run stand on.
type Deps struct {
	Namespace   string // of the Application
	Reader      kube.Reader
	Writer      kube.Writer
	Fleet       multicluster.Fleet
	Envs        multicluster.Envs
	Modules     terraform.Modules
	Configs     config.Store
	Mail        *email.Sender
	Deployer    oam.Deployer
	Application oam.Application
	World       query.World
	Charts      *charts.Store // of Helm
	Log         util.Log
	HTTP        http.Options
	External    []provider.Package // that objects bring
	Session     builtin.Session    // one attempt of a step
	Memory      provider.Memory    // of that step
	Allow       oam.Allow          // asked before a delivery; nil allows it
}

// DefinitionSchemas are the texts that components, traits and policies can
// import.
func DefinitionSchemas() []provider.Schema {
	return []provider.Schema{base64.Schema(), config.DefinitionSchema(), cue.Schema(), http.DefinitionSchema(), kube.DefinitionSchema(), helm.Schema()}
}

// Definition returns the actions of components, traits and policies.
func Definition(d Deps) provider.Table {
	return provider.NewTable(append([]provider.Package{
		base64.New(),
		config.Definition(config.Options{Client: d.HTTP.Client}),
		cue.New(),
		helm.New(helm.Options{Charts: d.Charts, Reader: d.Reader, Namespace: d.Namespace}),
		http.Definition(d.HTTP),
		kube.Definition(kube.Options{Reader: d.Reader}),
	}, d.External...)...)
}

// WorkflowSchemas are the texts that workflow steps can import.
func WorkflowSchemas() []provider.Schema {
	return append(op.Schemas(),
		base64.Schema(), builtin.Schema(), config.WorkflowSchema(), cue.Schema(), email.Schema(), helm.Schema(), http.WorkflowSchema(), kube.WorkflowSchema(),
		metrics.Schema(), multicluster.Schema(), oam.Schema(), query.Schema(), terraform.Schema(), time.Schema(), util.Schema(),
	)
}

// Workflow returns the actions of workflow steps.
func Workflow(d Deps) provider.Table {
	pkgs := []provider.Package{
		base64.New(),
		config.Workflow(config.Options{Client: d.HTTP.Client, Store: d.Configs}),
		cue.New(),
		email.New(email.Options{Sender: d.Mail, Memory: d.Memory}),
		helm.New(helm.Options{Charts: d.Charts, Reader: d.Reader, Namespace: d.Namespace}),
		http.Workflow(d.HTTP),
		kube.Workflow(kube.Options{Reader: d.Reader, Writer: d.Writer}),
		metrics.New(metrics.Options{Client: d.HTTP.Client, Memory: d.Memory}),
		multicluster.New(multicluster.Options{Fleet: d.Fleet, Envs: d.Envs, Namespace: d.Namespace, Deployer: d.Deployer, Allow: d.Allow}),
		oam.New(oam.Options{Deployer: d.Deployer, Application: d.Application, Allow: d.Allow}),
		query.New(query.Options{World: d.World, Reader: d.Reader}),
		terraform.New(terraform.Options{Modules: d.Modules, Reader: d.Reader, Namespace: d.Namespace}),
		time.New(),
		util.New(d.Log),
	}
	if d.Session != nil {
		pkgs = append(pkgs, builtin.New(d.Session))
	}
	return provider.NewTable(append(pkgs, d.External...)...)
}
