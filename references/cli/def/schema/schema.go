// Package schema is `vela def schema`: JSON Schemas with which an editor
// completes and checks Applications. The frame is the CRD that ships; what
// properties a type takes comes from its definition.
package schema

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seed-c5f95f19/vela/references/cli/connect"
	"github.com/seed-c5f95f19/vela/references/cli/console"
	"github.com/seed-c5f95f19/vela/references/cli/def/author"
	"github.com/seed-c5f95f19/vela/references/cli/def/installed"
)

// Options are the inputs of the command.
type Options struct {
	Factory   *connect.Factory
	Files     []string
	Namespace string
	Offline   bool
	Output    string
}

// NewCommand returns `vela def schema`. Tests pass run to inspect the options.
func NewCommand(f *connect.Factory, run func(context.Context, *Options) error) *cobra.Command {
	o := &Options{Factory: f}
	if run == nil {
		run = export
	}
	cmd := &cobra.Command{
		Use:   "schema",
		Short: "Write JSON Schemas for editors",
		Long: `Write a JSON Schema (draft 7) of Applications, policies and workflows, in which
the type of a component, trait, policy or step decides which properties it takes.
It knows the definitions after -d, those of the cluster, and those that come with
this binary.

An editor with a language server for YAML uses it when a file begins with

  # yaml-language-server: $schema=app.schema.json

and then completes types and properties and points out mistakes. -o names the
file, or a folder, which gets application.json and a file for each definition.`,
		Example: "  vela def schema -o app.schema.json\n  vela def schema -d definitions/ --offline -o schemas/",
		Args:    console.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), o) },
	}
	flags := cmd.Flags()
	flags.StringSliceVarP(&o.Files, "definitions", "d", nil, "`file` or folder with definitions, YAML or CUE")
	flags.StringVarP(&o.Namespace, "namespace", "n", "", "`namespace` whose definitions count first")
	flags.BoolVar(&o.Offline, "offline", false, "ask no cluster")
	flags.StringVarP(&o.Output, "output", "o", "", "`file`, or folder for a file each")
	return cmd
}

func export(ctx context.Context, o *Options) error {
	io := o.Factory.IO
	namespace := cmp.Or(o.Namespace, o.Factory.SystemNamespace())
	known, err := installed.Known(ctx, o.Factory, installed.Where{Files: o.Files, Namespace: namespace, Offline: o.Offline})
	if err != nil {
		return err
	}
	defs, err := installed.All(ctx, known, namespace, "")
	if err != nil {
		return err
	}
	parts, warnings := describe(defs, author.NewEngines(o.Factory.Sandbox))
	for _, w := range warnings {
		io.Warnf("%s", w)
	}
	if isFolder(o.Output) {
		return o.folder(parts)
	}
	all, err := bundle(parts)
	if err != nil {
		return err
	}
	if o.Output == "" {
		return console.JSON(io.Out, all)
	}
	if err := write(o.Output, all); err != nil {
		return err
	}
	io.Notef("%s: %s; use it with a first line in the file", o.Output, console.Count(len(parts), "definition"))
	io.Notef("  # yaml-language-server: $schema=%s", o.Output)
	return nil
}

func isFolder(name string) bool {
	info, err := os.Stat(name)
	return strings.HasSuffix(name, string(filepath.Separator)) || err == nil && info.IsDir()
}

// folder writes a file for each definition, which application.json refers to.
func (o *Options) folder(parts []part) error {
	if err := os.MkdirAll(o.Output, 0o755); err != nil {
		return err
	}
	for _, p := range parts {
		content := map[string]any{"$schema": draft}
		for k, v := range p.schema {
			content[k] = v
		}
		if err := write(filepath.Join(o.Output, p.key()+".json"), content); err != nil {
			return err
		}
	}
	all, err := frames(parts, func(p part) string { return p.key() + ".json" })
	if err != nil {
		return err
	}
	file := filepath.Join(o.Output, "application.json")
	if err := write(file, all); err != nil {
		return err
	}
	o.Factory.IO.Notef("%s: %s; use it with a first line in the file", o.Output, console.Count(len(parts), "definition"))
	o.Factory.IO.Notef("  # yaml-language-server: $schema=%s", file)
	return nil
}

func write(name string, content map[string]any) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	if err := console.JSON(f, content); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return f.Close()
}
