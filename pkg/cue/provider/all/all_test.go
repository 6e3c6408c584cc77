package all_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/seed-c5f95f19/vela/pkg/cue"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider/all"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider/builtin"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider/config"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider/email"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider/http"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider/kube"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider/multicluster"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider/oam"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider/query"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider/terraform"
	charts "github.com/seed-c5f95f19/vela/pkg/helm"
)

// Every definition that a package offers has to compile where it is used, and
// every action that it names has to exist.
func TestSchemas(t *testing.T) {
	everything := all.Deps{
		Reader:      struct{ kube.Reader }{},
		Writer:      struct{ kube.Writer }{},
		Fleet:       struct{ multicluster.Fleet }{},
		Envs:        struct{ multicluster.Envs }{},
		Modules:     struct{ terraform.Modules }{},
		Configs:     struct{ config.Store }{},
		Mail:        email.NewSender(nil, nil),
		Deployer:    struct{ oam.Deployer }{},
		Application: struct{ oam.Application }{},
		World:       struct{ query.World }{},
		Charts:      charts.NewStore(charts.Options{}),
		Session:     struct{ builtin.Session }{},
		Memory:      struct{ provider.Memory }{},
		HTTP:        http.Options{Client: http.NewClient(nil, nil)},
	}
	compilers := map[string]struct {
		schemas []provider.Schema
		table   provider.Table
	}{
		"definition": {all.DefinitionSchemas(), all.Definition(everything)},
		"workflow":   {all.WorkflowSchemas(), all.Workflow(everything)},
	}
	for name, c := range compilers {
		engine := cue.NewEngine(cue.Options{Packages: c.schemas})
		for _, s := range c.schemas {
			t.Run(name+"/"+s.Path, func(t *testing.T) {
				base := s.Path[strings.LastIndex(s.Path, "/")+1:]
				for _, def := range definitions(s.Text) {
					text := fmt.Sprintf("import %q\nuse: %s.%s\n", s.Path, base, def)
					if _, err := engine.Compile(cue.Source{Kind: "test", Name: def, Text: text}); err != nil {
						t.Errorf("%s.%s does not compile: %v", base, def, err)
					}
				}
				for _, call := range calls(s.Text) {
					p, do, _ := strings.Cut(call, ".")
					if _, _, ok := c.table.Lookup(p, do); !ok {
						t.Errorf("action %s is not offered", call)
					}
				}
			})
		}
	}
}

// definitions are the names of the top level of a text.
func definitions(text string) []string {
	var out []string
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "#") {
			name, _, _ := strings.Cut(line, ":")
			out = append(out, name)
		}
	}
	return out
}

// calls are the actions that a text names, as provider.do.
func calls(text string) []string {
	var out []string
	do := ""
	for line := range strings.Lines(text) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		value = strings.Trim(strings.TrimSpace(value), `"`)
		switch key {
		case "#do":
			do = value
		case "#provider":
			out = append(out, value+"."+do)
		}
	}
	return out
}

func TestNothingIsOfferedWithoutItsMeans(t *testing.T) {
	table := all.Workflow(all.Deps{})
	for _, call := range []string{"kube.read", "kube.apply", "multicluster.deploy", "oam.component-apply", "oam.load", "builtin.wait", "http.do", "email.send", "config.read",
		"metrics.promCheck", "terraform.load-terraform-components", "multicluster.patch-application"} {
		p, do, _ := strings.Cut(call, ".")
		if _, _, ok := table.Lookup(p, do); ok {
			t.Errorf("%s is offered without anything behind it", call)
		}
	}
}
