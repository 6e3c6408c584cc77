// Package scaffold is `vela def init`: a new definition to start from, from
// nothing, from a manifest that works, or from a Terraform module. It asks no
// cluster.
package scaffold

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"cuelang.org/go/cue/format"
	"github.com/spf13/cobra"

	"github.com/seed-c5f95f19/vela/references/cli/connect"
	"github.com/seed-c5f95f19/vela/references/cli/console"
	"github.com/seed-c5f95f19/vela/references/cli/def/author"
	"github.com/seed-c5f95f19/vela/references/cli/def/installed"
)

// Options are the inputs of the command.
type Options struct {
	Factory      *connect.Factory
	Name         string
	Type         string
	Alias        string
	Description  string
	TemplateYAML string
	Output       string
	Interactive  bool
	Force        bool

	Lang     string
	Provider string // of Terraform
	Git      string
	Path     string
	Local    string
}

// NewCommand returns `vela def init`. Tests pass run to inspect the options.
func NewCommand(f *connect.Factory, run func(context.Context, *Options) error) *cobra.Command {
	o := &Options{Factory: f}
	if run == nil {
		run = scaffold
	}
	cmd := &cobra.Command{
		Use:   "init NAME",
		Short: "Start a new definition",
		Long: `Write a new definition in CUE, to standard output or to the file after -o.

With --template-yaml the template is made from a manifest that works: what is
different from one use to the next becomes a parameter (images, replicas, ports,
hosts, resources, environment), and the name of the component takes the place of
the name in the manifest wherever it stands.

With --provider and --git or --local the definition is a Terraform module. With
--interactive what no flag says is asked. No cluster is needed.`,
		Example: `  vela def init my-trait -t trait -d "My trait." -o my-trait.cue
  vela def init web -t component --template-yaml deployment.yaml -o web.cue
  vela def init bucket -t component --provider aws --git https://example.com/modules.git --path s3`,
		Args: console.Args("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Name = args[0]
			if err := console.OneOf("lang", o.Lang, "cue"); err != nil {
				return err
			}
			return run(cmd.Context(), o)
		},
	}
	flags := cmd.Flags()
	flags.StringVarP(&o.Type, "type", "t", "", "`type` of the definition: "+strings.Join(installed.Types()[:4], ", "))
	flags.StringVarP(&o.Alias, "alias", "a", "", "another `name` to show")
	flags.StringVarP(&o.Description, "desc", "d", "", "what it is for, in one `sentence`")
	flags.StringVarP(&o.TemplateYAML, "template-yaml", "f", "", "`file` with objects to make the template from, or -")
	flags.StringVarP(&o.Output, "output", "o", "", "`file` to write")
	flags.BoolVarP(&o.Interactive, "interactive", "i", false, "ask for what no flag says")
	flags.BoolVar(&o.Force, "force", false, "overwrite the file")
	flags.StringVarP(&o.Lang, "lang", "l", "cue", "`language` of the definition: cue")
	flags.StringVarP(&o.Provider, "provider", "p", "", "Terraform `provider` of the module, for example aws")
	flags.StringVar(&o.Git, "git", "", "`address` of the Git repository with the module")
	flags.StringVar(&o.Path, "path", "", "`folder` of the module in the repository")
	flags.StringVar(&o.Local, "local", "", "`file` with the configuration of the module")
	return cmd
}

func scaffold(ctx context.Context, o *Options) error {
	if o.Interactive {
		if err := o.ask(); err != nil {
			return err
		}
	}
	if o.Type == "" {
		return console.Usagef("say what %q is: --type %s", o.Name, strings.Join(installed.Types()[:4], ", "))
	}
	if err := console.OneOf("type", o.Type, installed.Types()[:4]...); err != nil {
		return err
	}
	text, err := o.text(ctx)
	if err != nil {
		return err
	}
	formatted, err := format.Source([]byte(text))
	if err != nil {
		return fmt.Errorf("write the definition: %w", err)
	}
	defs, err := author.Parse(o.Name+".cue", string(formatted))
	if err != nil {
		return err
	}
	if o.Output == "" {
		_, err := o.Factory.IO.Out.Write(formatted)
		return err
	}
	if err := o.write(formatted); err != nil {
		return err
	}
	o.Factory.IO.Notef("%s: %s%s", o.Output, defs[0], parameters(defs[0]))
	return nil
}

// write makes the file, but does not overwrite one by accident.
func (o *Options) write(data []byte) error {
	mode := os.O_WRONLY | os.O_CREATE | os.O_EXCL
	if o.Force {
		mode = os.O_WRONLY | os.O_CREATE | os.O_TRUNC
	}
	if err := os.MkdirAll(filepath.Dir(o.Output), 0o755); err != nil {
		return err
	}
	f, err := os.OpenFile(o.Output, mode, 0o644)
	if errors.Is(err, os.ErrExist) {
		return console.Hint(fmt.Errorf("%s exists already", o.Output), "overwrite it: add --force")
	}
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Close())
}

// parameters says which parameters a definition has.
func parameters(d author.Definition) string {
	t, err := author.NewEngines(nil).Compile(d.Definition)
	if err != nil || d.Template == "" {
		return ""
	}
	s, err := t.Schema()
	if err != nil || len(s.Order) == 0 {
		return ""
	}
	return fmt.Sprintf(" with %s: %s", console.Count(len(s.Order), "parameter"), strings.Join(s.Order, ", "))
}

// ask asks for what no flag says.
func (o *Options) ask() error {
	in := bufio.NewReader(o.Factory.IO.In)
	for _, q := range []struct {
		question string
		value    *string
	}{
		{"Type (" + strings.Join(installed.Types()[:4], ", ") + ")", &o.Type},
		{"What it is for, in one sentence", &o.Description},
		{"Another name to show (empty for none)", &o.Alias},
		{"A file with objects to make the template from (empty for none)", &o.TemplateYAML},
		{"File to write (empty to print)", &o.Output},
	} {
		if *q.value != "" {
			continue
		}
		fmt.Fprintf(o.Factory.IO.Err, "%s: ", q.question)
		line, err := in.ReadString('\n')
		if err != nil && line == "" {
			fmt.Fprintln(o.Factory.IO.Err)
			return nil // no more answers
		}
		*q.value = strings.TrimSpace(line)
	}
	return nil
}

// text is the definition, not formatted yet.
func (o *Options) text(ctx context.Context) (string, error) {
	switch {
	case o.Provider != "" || o.Git != "" || o.Local != "":
		return o.terraform()
	case o.TemplateYAML != "":
		return o.fromManifest(ctx)
	}
	start := starts()[o.Type]
	return o.head(start.attributes, start.imports) + "template: {\n" + start.template + "}\n", nil
}

// head is the part of a definition that describes it.
func (o *Options) head(attributes, imports string) string {
	var b strings.Builder
	b.WriteString(imports)
	fmt.Fprintf(&b, "%s: {\n\ttype: %s\n", label(o.Name), quote(o.Type))
	if o.Alias != "" {
		fmt.Fprintf(&b, "\talias: %s\n", quote(o.Alias))
	}
	fmt.Fprintf(&b, "\tdescription: %s\n", quote(o.Description))
	if attributes != "" {
		fmt.Fprintf(&b, "\tattributes: {\n%s\t}\n", attributes)
	}
	b.WriteString("}\n\n")
	return b.String()
}

// terraform is a component whose template is a Terraform module.
func (o *Options) terraform() (string, error) {
	if o.Type != "component" {
		return "", console.Usagef("a Terraform module is a component, not a %s", o.Type)
	}
	if (o.Git == "") == (o.Local == "") || o.Provider == "" {
		return "", console.Usagef("a Terraform module needs --provider and either --git or --local")
	}
	kind, configuration := "remote", o.Git
	if o.Local != "" {
		data, err := os.ReadFile(o.Local)
		if err != nil {
			return "", err
		}
		kind, configuration = "hcl", string(data)
	}
	path := ""
	if o.Path != "" {
		path = "path: " + quote(o.Path) + "\n"
	}
	return o.head(fmt.Sprintf(`workload: definition: {apiVersion: "terraform.core.oam.dev/v1beta2", kind: "Configuration"}
schematic: terraform: {
	type: %s
	configuration: %s
	%sproviderRef: {name: %s, namespace: "default"}
}
`, quote(kind), quote(configuration), path, quote(o.Provider)), "") + "template: {}\n", nil
}
