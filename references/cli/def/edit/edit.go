// Package edit is `vela def edit`: a definition of the cluster in an editor, as
// CUE, and back once it is valid.
package edit

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/seed-c5f95f19/vela/pkg/definition"
	"github.com/seed-c5f95f19/vela/pkg/fault"
	"github.com/seed-c5f95f19/vela/references/cli/connect"
	"github.com/seed-c5f95f19/vela/references/cli/console"
	"github.com/seed-c5f95f19/vela/references/cli/def/author"
	"github.com/seed-c5f95f19/vela/references/cli/def/installed"
)

// Options are the inputs of the command.
type Options struct {
	Factory   *connect.Factory
	Name      string
	Type      string
	Namespace string
}

// NewCommand returns `vela def edit`. Tests pass run to inspect the options.
func NewCommand(f *connect.Factory, run func(context.Context, *Options) error) *cobra.Command {
	o := &Options{Factory: f}
	if run == nil {
		run = edit
	}
	cmd := &cobra.Command{
		Use:   "edit NAME",
		Short: "Edit a definition of the cluster",
		Long: `Open a definition of the cluster in $VISUAL or $EDITOR as CUE, check what was
written, and apply it. What is not valid is opened again with a comment above
each mistake; saving it unchanged gives up and keeps the file.`,
		Example:           "  EDITOR=vim vela def edit my-trait",
		Args:              console.Args("NAME"),
		ValidArgsFunction: installed.Complete(f),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Name = args[0]
			if err := installed.CheckType(o.Type); err != nil {
				return err
			}
			return run(cmd.Context(), o)
		},
	}
	flags := cmd.Flags()
	flags.StringVarP(&o.Namespace, "namespace", "n", "", "`namespace` of the definition (default that of the installation)")
	flags.StringVarP(&o.Type, "type", "t", "", "`type` of the definition: "+strings.Join(installed.Types(), ", "))
	return cmd
}

func edit(ctx context.Context, o *Options) error {
	c, err := o.Factory.Client()
	if err != nil {
		return err
	}
	live, err := installed.Get(ctx, c, cmp.Or(o.Namespace, o.Factory.SystemNamespace()), o.Type, o.Name)
	if err != nil {
		return err
	}
	text, err := definition.FormatCUE(live)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "vela-def-*")
	if err != nil {
		return err
	}
	file := filepath.Join(dir, o.Name+".cue")
	wanted, err := o.until(ctx, file, text, live)
	var told *console.HintError
	switch {
	case errors.As(err, &told):
		return errors.Join(err, os.RemoveAll(dir))
	case err != nil:
		return console.Hint(err, "what you wrote is kept: "+file, "correct it and apply it: vela def apply "+file)
	}
	if wanted == nil {
		o.Factory.IO.Notef("%s is not changed", o.Name)
		return os.RemoveAll(dir)
	}
	verb, err := installed.Apply(ctx, c, wanted)
	if err != nil {
		return console.Hint(err, "what you wrote is kept: "+file)
	}
	o.Factory.IO.Notef("%s %s/%s %s", installed.TypeOf(wanted), wanted.GetNamespace(), o.Name, verb)
	return os.RemoveAll(dir)
}

// until opens the editor until what is written is valid. nil means that nothing
// was changed.
func (o *Options) until(ctx context.Context, file, original string, live client.Object) (client.Object, error) {
	shown := original
	for last := original; ; {
		if err := os.WriteFile(file, []byte(shown), 0o600); err != nil {
			return nil, err
		}
		if err := o.open(ctx, file); err != nil {
			return nil, err
		}
		data, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		text := withoutMarks(string(data))
		if text == original {
			return nil, nil
		}
		obj, invalid := o.check(ctx, file, text, live)
		if invalid == nil {
			return obj, nil
		}
		if text == last {
			return nil, invalid // saved once more as it was: given up
		}
		o.Factory.IO.Notef("%s", fault.Message(invalid))
		last, shown = text, marked(text, invalid)
	}
}

// check reads and vets what was written.
func (o *Options) check(ctx context.Context, file, text string, live client.Object) (client.Object, error) {
	defs, err := author.Parse(file, text)
	if err != nil {
		return nil, err
	}
	d := defs[0]
	if d.Name != live.GetName() || installed.TypeOf(d.Wire) != installed.TypeOf(live) {
		return nil, author.Problem{File: file, Line: 1, Message: fmt.Sprintf("this is %s and no longer %s %s; a new definition is made with vela def apply",
			d, installed.TypeOf(live), live.GetName())}
	}
	d.Wire.SetNamespace(live.GetNamespace())
	return d.Wire, author.Join(d.Vet(ctx, author.NewEngines(o.Factory.Sandbox)))
}

// open runs the editor on this terminal.
func (o *Options) open(ctx context.Context, file string) error {
	f := o.Factory
	words := strings.Fields(cmp.Or(f.Getenv("VISUAL"), f.Getenv("EDITOR"), "vi"))
	cmd := exec.CommandContext(ctx, words[0], append(words[1:], file)...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = f.IO.In, f.IO.Out, f.IO.Err
	if err := cmd.Run(); err != nil {
		return console.Hint(fmt.Errorf("editor %q: %w", words[0], err), "choose another editor: EDITOR=nano vela def edit ...")
	}
	return nil
}

// mark begins the lines that say what is wrong in the line below.
const mark = "//! "

// marked puts every mistake above its line.
func marked(text string, err error) string {
	lines := strings.Split(text, "\n")
	var problems []author.Problem
	for _, e := range fault.List(err) {
		var p author.Problem
		if errors.As(e, &p) {
			problems = append(problems, p)
		}
	}
	slices.SortStableFunc(problems, func(a, b author.Problem) int { return cmp.Compare(b.Line, a.Line) }) // from below
	for _, p := range problems {
		at := min(max(p.Line-1, 0), len(lines))
		lines = slices.Insert(lines, at, mark+strings.ReplaceAll(p.Message, "\n", " "))
	}
	return strings.Join(lines, "\n")
}

func withoutMarks(text string) string {
	lines := slices.DeleteFunc(strings.Split(text, "\n"), func(l string) bool { return strings.HasPrefix(strings.TrimSpace(l), strings.TrimSpace(mark)) })
	return strings.Join(lines, "\n")
}
