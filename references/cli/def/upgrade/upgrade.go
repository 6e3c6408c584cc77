// Package upgrade is `vela def upgrade`: definitions that were written for
// earlier versions of CUE, in today's. It asks no cluster.
package upgrade

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seed-c5f95f19/vela/pkg/definition"
	"github.com/seed-c5f95f19/vela/references/cli/connect"
	"github.com/seed-c5f95f19/vela/references/cli/console"
	"github.com/seed-c5f95f19/vela/references/cli/def/author"
)

// Options are the inputs of the command.
type Options struct {
	Factory       *connect.Factory
	Files         []string
	Output        string
	Write         bool
	Quiet         bool
	Validate      bool
	TargetVersion string
}

// NewCommand returns `vela def upgrade`. Tests pass run to inspect the options.
func NewCommand(f *connect.Factory, run func(context.Context, *Options) error) *cobra.Command {
	o := &Options{Factory: f}
	if run == nil {
		run = upgrade
	}
	cmd := &cobra.Command{
		Use:   "upgrade FILE...",
		Short: "Rewrite definitions of older versions in today's CUE",
		Long: `Rewrite what later versions of CUE have dropped: arithmetic on lists, error as a
name, and the like. Such definitions work as they are, because they are rewritten
when they are loaded; this command writes the text down. Everything else in the
file stays as it is.

The new text goes to standard output, to the file or folder after -o, or, with
--write, back to where it came from. With --validate nothing is written and the
exit code is 1 when something is outdated. No cluster is needed.`,
		Example: "  vela def upgrade old.cue -o new.cue\n  vela def upgrade definitions/ --write\n  vela def upgrade definitions/ --validate",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return console.Usagef("name the definitions to rewrite: vela def upgrade FILE")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Files = args
			if o.Write && o.Output != "" {
				return console.Usagef("--write and --output contradict each other")
			}
			return run(cmd.Context(), o)
		},
	}
	flags := cmd.Flags()
	flags.StringVarP(&o.Output, "output", "o", "", "`file`, or folder for several files")
	flags.BoolVarP(&o.Write, "write", "w", false, "write every file back")
	flags.BoolVarP(&o.Quiet, "quiet", "q", false, "do not say what was rewritten")
	flags.BoolVar(&o.Validate, "validate", false, "only say whether something is outdated")
	flags.StringVar(&o.TargetVersion, "target-version", "", "`version` that KubeVela's command asks for; the text is always that of this version")
	return cmd
}

// A result is one file in today's CUE.
type result struct {
	file  string
	cue   bool // lines are those of the file
	text  string
	found []definition.Outdated
}

func upgrade(ctx context.Context, o *Options) error {
	defs, err := author.Read(ctx, o.Factory.IO.In, o.Files...)
	if err != nil {
		return err
	}
	results, err := rewrite(defs)
	if err != nil {
		return err
	}
	outdated := 0
	for _, r := range results {
		if len(r.found) > 0 {
			outdated++
		}
		for _, f := range r.found {
			if !o.Quiet {
				o.Factory.IO.Notef("%s", r.said(f))
			}
		}
	}
	if o.Validate {
		if outdated == 0 {
			o.Factory.IO.Notef("%s in today's CUE", console.Count(len(results), "file"))
			return nil
		}
		return console.Hint(fmt.Errorf("%d of %s outdated", outdated, console.Count(len(results), "file")),
			"rewrite them: vela def upgrade --write "+strings.Join(o.Files, " "))
	}
	return o.put(results)
}

// said is one line for what is outdated. Lines of a CUE file are its own.
func (r result) said(f definition.Outdated) string {
	text := f.Message
	if f.Modern != "" {
		text += ": " + f.Modern
	}
	if r.cue {
		return fmt.Sprintf("%s:%d: %s", r.file, f.Line, text)
	}
	return fmt.Sprintf("%s: %s line %d: %s", r.file, f.Part, f.Line, text)
}

// rewrite upgrades the files that the definitions are in.
func rewrite(defs []author.Definition) ([]result, error) {
	var out []result
	var errs []error
	for _, d := range defs {
		r := result{file: d.File, cue: d.Source != ""}
		var err error
		if r.cue {
			r.text, r.found, err = definition.UpgradeFile(d.File, d.Source)
		} else {
			r.text, r.found, err = object(d)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", d.File, err))
			continue
		}
		if last := len(out) - 1; last >= 0 && out[last].file == r.file { // documents of one file
			out[last].text += "---\n" + r.text
			out[last].found = append(out[last].found, r.found...)
			continue
		}
		out = append(out, r)
	}
	return out, errors.Join(errs...)
}

// object upgrades a definition that was written as an object.
func object(d author.Definition) (string, []definition.Outdated, error) {
	found, err := definition.UpgradeObject(d.Wire)
	if err != nil {
		return "", nil, err
	}
	content, err := author.Content(d.Wire)
	if err != nil {
		return "", nil, err
	}
	var out bytes.Buffer
	if filepath.Ext(d.File) == ".json" {
		err = console.JSON(&out, content)
	} else {
		err = author.YAML(&out, content)
	}
	return out.String(), found, err
}

// put writes the results where they are wanted.
func (o *Options) put(results []result) error {
	info, err := os.Stat(o.Output)
	folder := err == nil && info.IsDir() || strings.HasSuffix(o.Output, string(filepath.Separator)) || o.Output != "" && len(results) > 1
	if folder {
		if err := os.MkdirAll(o.Output, 0o755); err != nil {
			return err
		}
	}
	for i, r := range results {
		target := o.Output
		switch {
		case o.Write && r.file == author.Stdin:
			target = ""
		case o.Write && len(r.found) == 0:
			continue // it is as it should be
		case o.Write:
			target = r.file
		case folder:
			target = filepath.Join(o.Output, filepath.Base(r.file))
		}
		if target == "" {
			if i > 0 && !r.cue {
				fmt.Fprintln(o.Factory.IO.Out, "---")
			}
			fmt.Fprint(o.Factory.IO.Out, r.text)
			continue
		}
		if err := os.WriteFile(target, []byte(r.text), 0o644); err != nil {
			return err
		}
	}
	return nil
}
