// Package gendoc is `vela def gen-doc`: the reference pages of definitions, or of
// the packages that they import, as files for a web site.
package gendoc

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seed-c5f95f19/vela/pkg/definition"
	"github.com/seed-c5f95f19/vela/references/cli/connect"
	"github.com/seed-c5f95f19/vela/references/cli/console"
	"github.com/seed-c5f95f19/vela/references/cli/def/author"
	"github.com/seed-c5f95f19/vela/references/cli/def/installed"
	"github.com/seed-c5f95f19/vela/references/cli/def/page"
)

// Options are the inputs of the command.
type Options struct {
	Factory   *connect.Factory
	Names     []string // of definitions, or of files
	Type      string
	Namespace string
	Offline   bool
	Format    string
	Output    string
}

// NewCommand returns `vela def gen-doc`. Tests pass run to inspect the options.
func NewCommand(f *connect.Factory, run func(context.Context, *Options) error) *cobra.Command {
	o := &Options{Factory: f}
	if run == nil {
		run = generate
	}
	cmd := &cobra.Command{
		Use:     "gen-doc [NAME|FILE...]",
		Aliases: []string{"doc-gen"},
		Short:   "Write the reference of definitions",
		Long: `Write the reference of definitions as Markdown or HTML: those that are named, by
name or by file, or all that there are. With -o every definition gets a file in
that folder, and README.md lists them; without, everything goes to standard
output.

With --type provider the packages are described that templates import. For
Terraform modules the variables are listed that the definition holds.`,
		Example: "  vela def gen-doc -o docs/reference\n  vela def gen-doc my-trait.cue\n  vela def gen-doc --type provider vela/kube",
		Args:    cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Names = args
			if err := console.OneOf("format", o.Format, "markdown", "html"); err != nil {
				return err
			}
			if err := console.OneOf("type", o.Type, append(installed.Types(), "provider", "")...); err != nil {
				return err
			}
			return run(cmd.Context(), o)
		},
	}
	flags := cmd.Flags()
	flags.StringVarP(&o.Type, "type", "t", "", "only this `type`: "+strings.Join(installed.Types()[:4], ", ")+", or provider")
	flags.StringVarP(&o.Namespace, "namespace", "n", "", "`namespace` whose definitions count first")
	flags.BoolVar(&o.Offline, "offline", false, "ask no cluster")
	flags.StringVar(&o.Format, "format", "markdown", "markdown or html")
	flags.StringVarP(&o.Output, "output", "o", "", "`folder` to write to")
	return cmd
}

func generate(ctx context.Context, o *Options) error {
	if o.Type == "provider" {
		return o.providers()
	}
	defs, err := o.definitions(ctx)
	if err != nil {
		return err
	}
	engines := author.NewEngines(o.Factory.Sandbox)
	var pages []page.Page
	for _, d := range defs {
		p, err := page.Of(d, engines)
		if err != nil {
			o.Factory.IO.Warnf("left out: %s", err)
			continue
		}
		pages = append(pages, p)
	}
	if o.Output == "" {
		return o.print(pages)
	}
	return o.write(pages)
}

// definitions are those that are named, or all.
func (o *Options) definitions(ctx context.Context) ([]definition.Definition, error) {
	var files, names []string
	for _, name := range o.Names {
		if _, err := os.Stat(name); err == nil || name == "-" || strings.ContainsAny(name, "/.") {
			files = append(files, name)
		} else {
			names = append(names, name)
		}
	}
	var out []definition.Definition
	if len(files) > 0 {
		defs, err := author.Read(ctx, o.Factory.IO.In, files...)
		if err != nil {
			return nil, err
		}
		for _, d := range defs {
			out = append(out, d.Definition)
		}
		if len(names) == 0 {
			return out, nil
		}
	}
	namespace := cmp.Or(o.Namespace, o.Factory.SystemNamespace())
	known, err := installed.Known(ctx, o.Factory, installed.Where{Namespace: namespace, Offline: o.Offline})
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		defs, err := installed.Choose(ctx, known, namespace, o.Type, name)
		if err != nil {
			return nil, err
		}
		out = append(out, defs...)
	}
	if len(o.Names) > 0 {
		return out, nil
	}
	return installed.All(ctx, known, namespace, o.Type)
}

func (o *Options) print(pages []page.Page) error {
	out := o.Factory.IO.Out
	if o.Format == "html" {
		return page.HTML(out, "Definitions", pages)
	}
	for i, p := range pages {
		if i > 0 {
			fmt.Fprintln(out)
		}
		p.Markdown(out)
	}
	return nil
}

// write makes a file for each definition, and one that lists them.
func (o *Options) write(pages []page.Page) error {
	if err := os.MkdirAll(o.Output, 0o755); err != nil {
		return err
	}
	if o.Format == "html" {
		var out bytes.Buffer
		if err := page.HTML(&out, "Definitions", pages); err != nil {
			return err
		}
		return o.file("index.html", out.Bytes())
	}
	var index bytes.Buffer
	fmt.Fprint(&index, "# Definitions\n")
	kind := definition.Kind("")
	for _, p := range pages {
		var out bytes.Buffer
		p.Markdown(&out)
		name := fmt.Sprintf("%s-%s.md", p.Kind, p.Name)
		if err := o.file(name, out.Bytes()); err != nil {
			return err
		}
		if p.Kind != kind {
			kind = p.Kind
			fmt.Fprintf(&index, "\n## %s\n\n", kind)
		}
		fmt.Fprintf(&index, "- [%s](%s): %s\n", p.Name, name, p.Description)
	}
	if err := o.file("README.md", index.Bytes()); err != nil {
		return err
	}
	o.Factory.IO.Notef("%s: %s", o.Output, console.Count(len(pages), "page"))
	return nil
}

func (o *Options) file(name string, data []byte) error {
	return os.WriteFile(filepath.Join(o.Output, name), data, 0o644)
}
