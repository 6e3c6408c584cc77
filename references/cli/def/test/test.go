// Package test is `vela def test`: it runs the txtar archives that authors keep
// beside their definitions, and says what came out differently. It asks no
// cluster.
package test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/tools/txtar"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/seed-c5f95f19/vela/pkg/definition"
	"github.com/seed-c5f95f19/vela/pkg/delivery/deftest"
	"github.com/seed-c5f95f19/vela/references/cli/connect"
	"github.com/seed-c5f95f19/vela/references/cli/console"
	"github.com/seed-c5f95f19/vela/references/cli/def/author"
	"github.com/seed-c5f95f19/vela/references/cli/def/linediff"
)

// Options are the inputs of the command.
type Options struct {
	Factory     *connect.Factory
	Paths       []string
	Definitions []string
	Update      bool
	Run         string
}

// NewCommand returns `vela def test`. Tests pass run to inspect the options.
func NewCommand(f *connect.Factory, run func(context.Context, *Options) error) *cobra.Command {
	o := &Options{Factory: f}
	if run == nil {
		run = test
	}
	cmd := &cobra.Command{
		Use:   "test FOLDER|FILE...",
		Short: "Run the tests beside definitions",
		Long: `Run the tests of definitions: txtar archives (*.txtar) in the folder of the
definition. An archive holds the input, a few lines of an application or only the
parameters, and what has to come out: the objects, the error, the health with
live objects. docs/definition-tests.md describes the files of an archive.

Everything that differs is shown, and the exit code is 1. --update writes what
comes out now into the archives, to be read like code. No cluster is needed.`,
		Example: "  vela def test definitions/\n  vela def test my-trait/ --update\n  vela def test definitions/ --run 'scaler|hpa'",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return console.Usagef("name the folder with definitions and their tests: vela def test FOLDER")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Paths = args
			return run(cmd.Context(), o)
		},
	}
	flags := cmd.Flags()
	flags.BoolVarP(&o.Update, "update", "u", false, "write what comes out into the archives")
	flags.StringSliceVarP(&o.Definitions, "definitions", "d", nil, "`file` or folder with definitions that the tests use too")
	flags.StringVar(&o.Run, "run", "", "only archives whose path matches this `regexp`")
	return cmd
}

func test(ctx context.Context, o *Options) error {
	match, err := regexp.Compile(o.Run)
	if err != nil {
		return console.Usagef("--run %q: %v", o.Run, err)
	}
	archives, err := o.archives(match)
	if err != nil {
		return err
	}
	if len(archives) == 0 {
		return console.Hint(fmt.Errorf("%s: no tests found", strings.Join(o.Paths, ", ")),
			"a test is a file *.txtar beside its definition; see docs/definition-tests.md")
	}
	t := tester{Options: o, runners: map[string]*deftest.Runner{}}
	if t.shared, err = o.shared(ctx); err != nil {
		return err
	}
	failed, written := 0, 0
	for _, path := range archives {
		diff, err := t.archive(ctx, path)
		switch {
		case err != nil:
			failed++
			fmt.Fprintf(o.Factory.IO.Out, "%s %s\n%s\n", o.bad("FAIL"), path, indented(err.Error()))
		case diff == "":
			fmt.Fprintf(o.Factory.IO.Out, "%s   %s\n", o.good("ok"), path)
		case o.Update:
			written++
			fmt.Fprintf(o.Factory.IO.Out, "%s: written\n", path)
		default:
			failed++
			fmt.Fprintf(o.Factory.IO.Out, "%s %s\n%s", o.bad("FAIL"), path, diff)
		}
	}
	if passed := len(archives) - failed - written; passed > 0 && failed == 0 {
		o.Factory.IO.Notef("%s passed", console.Count(passed, "test"))
	}
	if written > 0 {
		o.Factory.IO.Notef("%s written", console.Count(written, "test"))
	}
	if failed == 0 {
		return nil
	}
	return console.Hint(fmt.Errorf("%d of %s failed", failed, console.Count(len(archives), "test")),
		"when the new result is right, write it: vela def test --update "+strings.Join(o.Paths, " "))
}

func (o *Options) good(s string) string { return o.Factory.IO.OutStyle().Good(s) }
func (o *Options) bad(s string) string  { return o.Factory.IO.OutStyle().Bad(s) }

func indented(s string) string { return "  " + strings.ReplaceAll(strings.TrimSpace(s), "\n", "\n  ") }

// archives lists the tests below the paths. A definition stands for the tests
// in its folder.
func (o *Options) archives(match *regexp.Regexp) ([]string, error) {
	var out []string
	for _, path := range o.Paths {
		info, err := os.Stat(path)
		if errors.Is(err, os.ErrNotExist) {
			return nil, console.Usagef("%s: there is no such file or folder", path)
		}
		if err != nil {
			return nil, err
		}
		if filepath.Ext(path) == ".txtar" {
			out = append(out, path)
			continue
		}
		if !info.IsDir() {
			beside, err := filepath.Glob(filepath.Join(filepath.Dir(path), "*.txtar"))
			if err != nil {
				return nil, err
			}
			out = append(out, beside...)
			continue
		}
		err = filepath.WalkDir(path, func(file string, e fs.DirEntry, err error) error {
			if err == nil && !e.IsDir() && filepath.Ext(file) == ".txtar" {
				out = append(out, file)
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	out = slices.DeleteFunc(out, func(file string) bool { return !match.MatchString(file) })
	slices.Sort(out)
	return slices.Compact(out), nil
}

// shared are the definitions that every test can use: those after -d and those
// that come with this binary.
func (o *Options) shared(ctx context.Context) (definition.Source, error) {
	builtin, err := definition.Builtin()
	if err != nil || len(o.Definitions) == 0 {
		return builtin, err
	}
	more, err := author.Read(ctx, o.Factory.IO.In, o.Definitions...)
	if err != nil {
		return nil, err
	}
	set, err := setOf(more)
	if err != nil {
		return nil, err
	}
	return definition.Chain(set, builtin), nil
}

func setOf(defs []author.Definition) (*definition.Static, error) {
	var objs []runtime.Object
	for _, d := range defs {
		objs = append(objs, d.Wire)
	}
	return definition.Of(objs...)
}

// A tester runs archives; those of one folder share its definitions.
type tester struct {
	*Options
	shared  definition.Source
	runners map[string]*deftest.Runner
}

// archive runs one test and returns how it differs.
func (t tester) archive(ctx context.Context, path string) (string, error) {
	runner, err := t.runner(ctx, filepath.Dir(path))
	if err != nil {
		return "", err
	}
	archive, err := txtar.ParseFile(path)
	if err != nil {
		return "", err
	}
	in, want := deftest.Split(archive)
	got, err := runner.Run(ctx, in)
	if err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	diff := difference(want, got)
	if diff == "" || !t.Update {
		return diff, nil
	}
	deftest.Update(archive, got)
	return diff, os.WriteFile(path, txtar.Format(archive), 0o644)
}

// runner knows the definitions in a folder. When there is one, it is under test.
func (t tester) runner(ctx context.Context, folder string) (*deftest.Runner, error) {
	if r := t.runners[folder]; r != nil {
		return r, nil
	}
	var files []string
	for _, ext := range []string{"*.cue", "*.yaml", "*.yml", "*.json"} {
		found, err := filepath.Glob(filepath.Join(folder, ext))
		if err != nil {
			return nil, err
		}
		files = append(files, found...)
	}
	source, subject := t.shared, definition.Ref{}
	if len(files) > 0 {
		own, err := author.Read(ctx, nil, files...)
		if err != nil {
			return nil, err
		}
		set, err := setOf(own)
		if err != nil {
			return nil, err
		}
		source = definition.Chain(set, t.shared)
		if len(own) == 1 {
			subject = definition.Ref{Kind: own[0].Kind, Name: own[0].Name}
		}
	}
	charts := filepath.Join(folder, "testdata")
	if _, err := os.Stat(charts); err != nil {
		charts = folder
	}
	r, err := deftest.New(deftest.Options{Definitions: source, Subject: subject, Charts: charts, Sandbox: t.Factory.Sandbox})
	t.runners[folder] = r
	return r, err
}

// difference shows what came out differently, file by file.
func difference(want, got deftest.Files) string {
	all := maps.Clone(want)
	maps.Copy(all, got)
	var out strings.Builder
	for _, name := range slices.Sorted(maps.Keys(all)) {
		_, wanted := want[name]
		_, came := got[name]
		switch diff := linediff.Unified(want[name], got[name]); {
		case !wanted:
			fmt.Fprintf(&out, "  %s was not wanted, and came out:\n%s\n", name, indented(got[name]))
		case !came:
			fmt.Fprintf(&out, "  %s was wanted, and did not come out\n", name)
		case diff != "":
			fmt.Fprintf(&out, "  %s (- wanted, + came out):\n%s\n", name, "  "+strings.ReplaceAll(strings.TrimRight(diff, "\n"), "\n", "\n  "))
		}
	}
	return out.String()
}
