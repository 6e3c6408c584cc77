package soak

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	_ "unsafe" // for go:linkname

	"cuelang.org/go/cue/build"
	"cuelang.org/go/cue/cuecontext"
	"cuelang.org/go/cue/stats"
	"cuelang.org/go/cue/token"

	"github.com/seed-c5f95f19/vela/pkg/cue"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider/all"
	cuetext "github.com/seed-c5f95f19/vela/pkg/cue/text"
)

// totalStats is what CUE counts for `cue --stats`; it offers it to nobody else.
//
//go:linkname totalStats cuelang.org/go/internal/core/adt.TotalStats
func totalStats() stats.Counts

const ceilings = "testdata/counters.txt"

// TestCounters evaluates every built-in text with all of its properties, by the
// CUE library, and compares what CUE counts with what is recorded: a definition
// whose cost jumps is noticed in review. Time depends on the machine, this does
// not. UPDATE=1 records anew.
func TestCounters(t *testing.T) {
	recorded := map[string][2]int64{}
	if b, err := os.ReadFile(ceilings); err == nil {
		for line := range strings.Lines(string(b)) {
			var kind, name string
			var c [2]int64
			if _, err := fmt.Sscan(line, &kind, &name, &c[0], &c[1]); err == nil {
				recorded[kind+" "+name] = c
			}
		}
	}
	engines := map[bool]*cue.Engine{
		false: cue.NewEngine(cue.Options{Packages: all.DefinitionSchemas()}),
		true:  cue.NewEngine(cue.Options{Packages: all.WorkflowSchemas()}),
	}
	var out strings.Builder
	out.WriteString("# kind name unifications conjuncts: of one evaluation by the CUE library\n")
	for _, x := range texts(t) {
		tmpl, err := engines[x.step].Compile(x.Source)
		if err != nil {
			t.Fatalf("%s: %v", x.name(), err)
		}
		s, err := tmpl.Schema()
		if err != nil {
			t.Fatalf("%s: %v", x.name(), err)
		}
		g := newGenerator(1)
		g.all = true
		got := counted(t, x, map[string]any{"parameter": g.object(s, 0), "context": g.fields()})
		fmt.Fprintf(&out, "%s %d %d\n", x.name(), got[0], got[1])
		want, known := recorded[x.name()]
		for i, what := range []string{"unifications", "conjuncts"} {
			if known && got[i] > want[i]+want[i]/10 {
				t.Errorf("%s needs %d %s, %d are recorded: if that is meant, UPDATE=1", x.name(), got[i], what, want[i])
			}
		}
		if !known && os.Getenv("UPDATE") == "" {
			t.Errorf("%s is not recorded: UPDATE=1", x.name())
		}
	}
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile(ceilings, []byte(out.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// counted evaluates a text with its input once.
func counted(t *testing.T, x text, input map[string]any) [2]int64 {
	t.Helper()
	b, err := json.Marshal(input)
	if err != nil {
		t.Fatal(err)
	}
	f, _, err := cuetext.Parse(x.Name, x.Text+"\nparameter: _\ncontext: _\n"+strings.TrimSuffix(strings.TrimPrefix(string(b), "{"), "}")+"\n")
	if err != nil {
		t.Fatalf("%s: %v", x.name(), err)
	}
	cuetext.Modernize(f)
	schemas := all.DefinitionSchemas()
	if x.step {
		schemas = all.WorkflowSchemas()
	}
	var bctx *build.Context
	var load build.LoadFunc
	load = func(_ token.Pos, path string) *build.Instance {
		for _, s := range schemas {
			if s.Path == path {
				return instance(bctx, load, s)
			}
		}
		return nil
	}
	bctx = build.NewContext()
	inst := bctx.NewInstance("", load)
	if err := inst.AddSyntax(f); err != nil {
		t.Fatalf("%s: %v", x.name(), err)
	}
	if err := inst.Complete(); err != nil {
		t.Fatalf("%s: %v", x.name(), err)
	}
	before := totalStats()
	cuecontext.New().BuildInstance(inst)
	after := totalStats()
	return [2]int64{after.Unifications - before.Unifications, after.Conjuncts - before.Conjuncts}
}

func instance(bctx *build.Context, load build.LoadFunc, s provider.Schema) *build.Instance {
	inst := bctx.NewInstance(s.Path, load)
	inst.PkgName = s.Path[strings.LastIndex(s.Path, "/")+1:]
	if err := inst.AddFile(s.Path, s.Text); err == nil {
		_ = inst.Complete() // kept in inst.Err
	}
	return inst
}
