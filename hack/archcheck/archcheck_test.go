package main

import (
	"bytes"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestForbidden(t *testing.T) {
	cases := map[string]struct {
		from, to string
		want     string // part of the reason; "" means allowed
	}{
		"a command imports an edge":                   {"cmd/vela", "references/cli", ""},
		"an edge imports the product":                 {"pkg/controller/application", "pkg/delivery", ""},
		"the product imports engines":                 {"pkg/delivery/render", "pkg/cue", ""},
		"an engine imports a leaf":                    {"pkg/cluster", "pkg/oam", ""},
		"a leaf imports types":                        {"pkg/event", "apis/core.oam.dev/v1beta1", ""},
		"an engine may not import the product":        {"pkg/cue", "pkg/delivery/render", "engines may not import product"},
		"a leaf may not import an engine":             {"pkg/fault", "pkg/cue", "leaves may not import engines"},
		"the product may not import an edge":          {"pkg/delivery", "pkg/controller", "product may not import edges"},
		"edges may not import each other":             {"references/cli/up", "pkg/controller/application", "front doors"},
		"parts of one edge may":                       {"references/cli/up", "references/cli/console", ""},
		"the workflow does not know deliveries":       {"pkg/workflow", "pkg/delivery/plan", "workflow engine"},
		"status reads the progress":                   {"pkg/delivery/status", "pkg/workflow", ""},
		"the composition binds the workflow":          {"pkg/delivery", "pkg/workflow", ""},
		"no other stage reads the progress":           {"pkg/delivery/render", "pkg/workflow", "only status"},
		"a stage imports an earlier one":              {"pkg/delivery/status", "pkg/delivery/plan", ""},
		"a stage may not import a later one":          {"pkg/delivery/blueprint", "pkg/delivery/plan", "blueprint comes before stage plan"},
		"a part of a stage may not either":            {"pkg/delivery/policy/topology", "pkg/delivery/dispatch", "policy comes before stage dispatch"},
		"a stage may not import the composition":      {"pkg/delivery/plan", "pkg/delivery", "composes the stages"},
		"apis import Kubernetes' types":               {"apis/core.oam.dev/v1beta1", "k8s.io/apimachinery/pkg/runtime", ""},
		"apis import the standard library":            {"apis/core.oam.dev/v1beta1", "encoding/json", ""},
		"apis may not import a client":                {"apis", "k8s.io/client-go/kubernetes", "apis may import only"},
		"apis may not import what is above":           {"apis", "pkg/oam", "apis may import only"},
		"foreign modules are free elsewhere":          {"pkg/cluster", "k8s.io/client-go/kubernetes", ""},
		"product code may not import test code":       {"pkg/cluster", "pkg/test/env", "for tests"},
		"test code imports test code":                 {"pkg/test/fleet", "pkg/test/env", ""},
		"a package for tests imports test code":       {"references/cli/clitest", "pkg/test/golden", ""},
		"benchmarks import the product and test code": {"bench/load", "pkg/test/env", ""},
		"nothing imports hack":                        {"pkg/cluster", "hack/archcheck", "nothing imports hack"},
		"hack imports what it likes":                  {"hack/gendefs", "pkg/definition", ""},
		"hack imports its own parts":                  {"hack/a", "hack/b", ""},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			why, fix := forbidden(tc.from, tc.to)
			if tc.want == "" && why != "" || !strings.Contains(why, tc.want) {
				t.Errorf("forbidden(%q, %q) = %q, want %q", tc.from, tc.to, why, tc.want)
			}
			if why != "" && fix == "" {
				t.Errorf("forbidden(%q, %q) offers no fix", tc.from, tc.to)
			}
		})
	}
}

func TestMutualImportsOfAreas(t *testing.T) {
	pkgs := []*Package{
		{Path: "pkg/a/x", Imports: []string{"pkg/b", "fmt"}},
		{Path: "pkg/b/y", Imports: []string{"pkg/a"}},
		{Path: "pkg/c", Imports: []string{"pkg/a", "pkg/b"}},
		{Path: "pkg/a/z", Imports: []string{"pkg/a/x"}},
	}
	got := mutual(pkgs)
	if len(got) != 1 || got[0].Subject != "pkg/a <-> pkg/b" {
		t.Errorf("mutual() = %v, want one breach between pkg/a and pkg/b", got)
	}
}

func TestRulesOnSource(t *testing.T) {
	long := "package p\nfunc F() {\n" + strings.Repeat("\t_ = 0\n", maxFunction) + "}\n"
	method := "package p\ntype T[K any] struct{}\nfunc (t *T[K]) F() {\n" + strings.Repeat("\t_ = 0\n", maxFunction) + "}\n"
	cases := map[string]struct {
		path, source string
		test         bool
		want         []string // rule and subject
	}{
		"a small documented package passes": {path: "pkg/cue", source: "// Package p is.\npackage p\n"},
		"a package in no layer":             {path: "pkg/x", source: "// Package p is.\npackage p\n", want: []string{"layers pkg/x"}},
		"a package without a comment":       {path: "pkg/cue", source: "package p\n", want: []string{"docs pkg/cue"}},
		"a name that says nothing":          {path: "pkg/cue/util", source: "// P.\npackage util\n", want: []string{"names pkg/cue/util"}},
		"a long function":                   {path: "pkg/cue", source: "// P.\n" + long, want: []string{"sizes pkg/cue.F"}},
		"a long method of a generic type":   {path: "pkg/cue", source: "// P.\n" + method, want: []string{"sizes pkg/cue.T.F"}},
		"a wide interface": {
			path:   "pkg/cue",
			source: "// P.\npackage p\ntype I interface{ A(); B(); C(); D(); E(); F() }\n",
			want:   []string{"sizes pkg/cue.I"},
		},
		"a long file of a command": {
			path:   "cmd/x",
			source: "// P.\npackage main\n" + strings.Repeat("// x\n", maxCommand),
			want:   []string{"sizes cmd/x/p.go"},
		},
		"many exported names": {
			path:   "pkg/cue",
			source: "// P.\npackage p\nconst (\n" + exportedConstants(maxExported+1) + ")\n",
			want:   []string{"sizes pkg/cue"},
		},
		"an init function":                         {path: "pkg/cue", source: "// P.\npackage p\nfunc init() {}\n", want: []string{"shape pkg/cue/p.go"}},
		"a context in a struct":                    {path: "pkg/cue", source: "// P.\npackage p\ntype T struct{ ctx context.Context }\n", want: []string{"shape pkg/cue/p.go"}},
		"a test that sleeps":                       {path: "pkg/cue", test: true, source: "package p\nfunc f() { time.Sleep(1) }\n", want: []string{"shape pkg/cue/p.go"}},
		"a lifetime in a struct, with a reason":    {path: "pkg/cue", source: "// P.\npackage p\ntype T struct {\n\tctx context.Context //nolint:containedctx // the life of the watch\n}\n"},
		"a lifetime in a struct, without a reason": {path: "pkg/cue", source: "// P.\npackage p\ntype T struct {\n\tctx context.Context //nolint:containedctx\n}\n", want: []string{"shape pkg/cue/p.go"}},
		"a context as an argument":                 {path: "pkg/cue", source: "// P.\npackage p\nfunc F(ctx context.Context) {}\n"},
		"a method called init is no init":          {path: "pkg/cue", source: "// P.\npackage p\ntype T int\nfunc (T) init() {}\n"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, b := range check([]*Package{source(t, tc.path, tc.source, tc.test)}) {
				got = append(got, b.Rule+" "+b.Subject)
				if b.Message == "" || b.Fix == "" {
					t.Errorf("%s %s lacks a message or a fix", b.Rule, b.Subject)
				}
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("check(...) mismatch (-want +got):\n%s", diff)
			}
		})
	}
}

func TestExceptions(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "x.txt")
	write(t, file, "# comment\n\nsizes | pkg/a.F | one table\ndocs | pkg/gone | no longer there\n")
	es, err := readExceptions(file)
	if err != nil {
		t.Fatal(err)
	}
	left, unused := es.filter([]Breach{{Rule: "sizes", Subject: "pkg/a.F"}, {Rule: "sizes", Subject: "pkg/a.G"}})
	if len(left) != 1 || left[0].Subject != "pkg/a.G" {
		t.Errorf("filter() left %v, want pkg/a.G", left)
	}
	if len(unused) != 1 || unused[0].Place != file+":4" {
		t.Errorf("filter() unused %v, want line 4", unused)
	}
	write(t, file, "sizes | pkg/a.F |\n")
	if _, err := readExceptions(file); err == nil {
		t.Error("an exception without a reason was accepted")
	}
	if es, err := readExceptions(filepath.Join(dir, "missing")); err != nil || es != nil {
		t.Errorf("a missing file gives %v, %v", es, err)
	}
}

// TestRun checks a whole module on disk, first with a breach, then without.
func TestRun(t *testing.T) {
	dir := t.TempDir()
	exceptions := filepath.Join(dir, "exceptions.txt")
	write(t, filepath.Join(dir, "go.mod"), "module github.com/seed-c5f95f19/vela\n\ngo 1.26.0\n")
	write(t, filepath.Join(dir, "pkg/fault/fault.go"), "// Package fault is.\npackage fault\n\nimport _ \"github.com/seed-c5f95f19/vela/pkg/cue\"\n")
	write(t, filepath.Join(dir, "pkg/cue/cue.go"), "// Package cue is.\npackage cue\n")
	write(t, filepath.Join(dir, "pkg/cue/zz_generated.go"), "// Code generated by x. DO NOT EDIT.\n\npackage cue\n\nfunc init() {}\n")
	var out bytes.Buffer
	n, err := run(&out, exceptions, dir)
	if err != nil || n != 1 {
		t.Fatalf("run() = %d, %v, want 1 breach\n%s", n, err, out.String())
	}
	want := "pkg/fault -> pkg/cue: [layers] leaves may not import engines: imports point down\n\tfix: "
	if !strings.HasPrefix(out.String(), want) {
		t.Errorf("run() printed %q, want it to start with %q", out.String(), want)
	}
	write(t, exceptions, "layers | pkg/fault -> pkg/cue | for this test\n")
	out.Reset()
	if n, err := run(&out, exceptions, dir); err != nil || n != 0 {
		t.Errorf("run() with an exception = %d, %v\n%s", n, err, out.String())
	}
}

func exportedConstants(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString("A" + strings.Repeat("a", i) + " = 1\n")
	}
	return b.String()
}

func source(t *testing.T, path, text string, test bool) *Package {
	t.Helper()
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, "p.go", text, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	p := &Package{Path: path, Name: f.Name.Name, Doc: f.Doc.Text()}
	file := File{Name: "p.go", Lines: strings.Count(text, "\n"), AST: f, Fset: fset}
	if test {
		p.Tests = []File{file}
		return p
	}
	p.Files = []File{file}
	return p
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
