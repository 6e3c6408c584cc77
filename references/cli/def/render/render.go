// Package render is `vela def render`: definitions as the objects that go into a
// cluster, for kubectl, Helm charts and GitOps. It asks no cluster.
package render

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seed-c5f95f19/vela/references/cli/connect"
	"github.com/seed-c5f95f19/vela/references/cli/console"
	"github.com/seed-c5f95f19/vela/references/cli/def/author"
)

// Options are the inputs of the command.
type Options struct {
	Factory *connect.Factory
	Files   []string
	Output  string
	Format  string
	Message string
}

// NewCommand returns `vela def render`. Tests pass run to inspect the options.
func NewCommand(f *connect.Factory, run func(context.Context, *Options) error) *cobra.Command {
	o := &Options{Factory: f}
	if run == nil {
		run = render
	}
	cmd := &cobra.Command{
		Use:   "render FILE...",
		Short: "Write definitions as the objects that go into a cluster",
		Long: `Write definitions as the objects that go into a cluster. The objects go to
standard output, to the file after -o, or, when that is a folder, each to a file
of its own with the name of the definition.

FILE is a file in CUE, YAML or JSON, a folder, a URL, or - for standard input.
No cluster is needed.`,
		Example: "  vela def render my-trait.cue | kubectl apply -n vela-system -f -\n  vela def render definitions/ -o chart/templates/",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return console.Usagef("name the definitions to render: vela def render FILE")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Files = args
			if err := console.OneOf("format", o.Format, "yaml", "json"); err != nil {
				return err
			}
			return run(cmd.Context(), o)
		},
	}
	flags := cmd.Flags()
	flags.StringVarP(&o.Output, "output", "o", "", "`file`, or folder for a file each")
	flags.StringVarP(&o.Format, "format", "f", "yaml", "yaml or json")
	flags.StringVar(&o.Message, "message", "", "`text` to put on top as a comment (yaml)")
	return cmd
}

func render(ctx context.Context, o *Options) error {
	defs, err := author.Read(ctx, o.Factory.IO.In, o.Files...)
	if err != nil {
		return err
	}
	if isFolder(o.Output) {
		return o.each(defs)
	}
	var out bytes.Buffer
	for i, d := range defs {
		if i > 0 && o.Format == "yaml" {
			out.WriteString("---\n")
		}
		if err := o.write(&out, d); err != nil {
			return err
		}
	}
	if o.Output == "" {
		_, err := o.Factory.IO.Out.Write(out.Bytes())
		return err
	}
	return os.WriteFile(o.Output, out.Bytes(), 0o644)
}

func isFolder(name string) bool {
	info, err := os.Stat(name)
	return strings.HasSuffix(name, string(filepath.Separator)) || err == nil && info.IsDir()
}

// each writes every definition to a file of its own.
func (o *Options) each(defs []author.Definition) error {
	if err := os.MkdirAll(o.Output, 0o755); err != nil {
		return err
	}
	for _, d := range defs {
		var out bytes.Buffer
		if err := o.write(&out, d); err != nil {
			return err
		}
		file := filepath.Join(o.Output, d.Name+"."+o.Format)
		if err := os.WriteFile(file, out.Bytes(), 0o644); err != nil {
			return err
		}
		o.Factory.IO.Notef("%s: %s", file, d)
	}
	return nil
}

func (o *Options) write(out *bytes.Buffer, d author.Definition) error {
	content, err := author.Content(d.Wire)
	if err != nil {
		return fmt.Errorf("%s: %w", d.File, err)
	}
	if o.Format == "json" {
		return console.JSON(out, content)
	}
	for line := range strings.Lines(o.Message) {
		fmt.Fprintf(out, "# %s\n", strings.TrimRight(line, "\n"))
	}
	return author.YAML(out, content)
}
