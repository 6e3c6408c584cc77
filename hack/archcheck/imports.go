package main

import (
	"fmt"
	"slices"
	"strings"
)

// layer returns the rank of a package; imports go from higher to lower or equal
// ranks. Packages outside of every layer (hack, bench, e2e) have no rank.
func layer(path string) (rank int, name string, ok bool) {
	for i, l := range []struct {
		name  string
		areas []string
	}{
		{"types", []string{"apis", "charts"}},
		{"leaves", []string{"pkg/oam", "pkg/fault", "pkg/event", "pkg/metrics", "pkg/version"}},
		{"engines", []string{"pkg/cue", "pkg/definition", "pkg/cluster", "pkg/helm", "pkg/identity"}},
		{"product", []string{"pkg/delivery", "pkg/workflow", "pkg/addon", "pkg/config", "pkg/source", "pkg/terraform", "pkg/velaql"}},
		{"edges", []string{"pkg/controller", "pkg/webhook", "pkg/server", "references"}},
		{"commands", []string{"cmd"}},
	} {
		if slices.ContainsFunc(l.areas, func(a string) bool { return inside(path, a) }) {
			return i, l.name, true
		}
	}
	return 0, "", false
}

// stages are the packages of one delivery in the order of the imports: a stage
// imports earlier ones only.
func stages() []string {
	return []string{"manifest", "inventory", "blueprint", "referred", "transform", "revision", "render", "plan", "policy", "dispatch", "observe", "status"}
}

// inside reports whether path is the package area or below it.
func inside(path, area string) bool {
	return path == area || strings.HasPrefix(path, area+"/")
}

// own reports whether an import is part of this repository.
func own(imported string) bool {
	return slices.ContainsFunc([]string{"apis", "charts", "cmd", "pkg", "references", "hack", "bench", "e2e"}, func(top string) bool {
		return inside(imported, top)
	})
}

// layers checks the direction of imports.
func layers(pkgs []*Package) []Breach {
	var out []Breach
	for _, p := range pkgs {
		if _, _, ok := layer(p.Path); !ok && inside(p.Path, "pkg") && !inside(p.Path, "pkg/test") {
			out = append(out, Breach{
				Rule: "layers", Subject: p.Path, Message: "the package is in no layer",
				Fix: "put it where docs/ARCHITECTURE.md has a place, or add its area there and in hack/archcheck/imports.go",
			})
		}
		for _, i := range p.Imports {
			if why, fix := forbidden(p.Path, i); why != "" {
				out = append(out, Breach{Rule: "layers", Subject: p.Path + " -> " + i, Message: why, Fix: fix})
			}
		}
	}
	return out
}

// forbidden says why from may not import to, or "".
func forbidden(from, to string) (why, fix string) {
	if inside(from, "apis") {
		return apisImport(from, to)
	}
	if !own(to) {
		return "", ""
	}
	if inside(to, "pkg/test") && !forTests(from) {
		return "pkg/test is for tests", "import it in _test.go files or in a package whose name ends in test"
	}
	if _, _, ok := layer(to); !ok && !inside(to, "pkg/test") {
		if top, _, _ := strings.Cut(from, "/"); !inside(to, top) {
			return "nothing imports hack, bench or e2e", "move what is shared into the package that it belongs to"
		}
		return "", ""
	}
	fromRank, fromName, fromOK := layer(from)
	toRank, toName, _ := layer(to)
	if fromOK && toRank > fromRank {
		return fmt.Sprintf("%s may not import %s: imports point down", fromName, toName),
			"declare a small interface where it is used and pass the implementation in from above"
	}
	return sideways(from, to)
}

// forTests reports whether a package is only there for tests.
func forTests(path string) bool {
	return inside(path, "pkg/test") || inside(path, "e2e") || inside(path, "bench") || strings.HasSuffix(path, "test")
}

// apisImport keeps the wire types free of everything but Kubernetes' own types.
func apisImport(_, to string) (why, fix string) {
	first, _, _ := strings.Cut(to, "/")
	switch {
	case !strings.Contains(first, ".") && !own(to), inside(to, "apis"), inside(to, "k8s.io/api"), inside(to, "k8s.io/apimachinery"):
		return "", ""
	}
	return "apis may import only the standard library, k8s.io/api and k8s.io/apimachinery", "move the behaviour out of apis"
}

// sideways checks the rules between packages of one layer.
func sideways(from, to string) (why, fix string) {
	edges := []string{"pkg/controller", "pkg/webhook", "pkg/server", "references/cli", "references/ui", "references/docgen"}
	a := slices.IndexFunc(edges, func(e string) bool { return inside(from, e) })
	b := slices.IndexFunc(edges, func(e string) bool { return inside(to, e) })
	switch {
	case a >= 0 && b >= 0 && a != b:
		return "front doors may not import each other", "move what is shared down into the product, or connect them in cmd"
	case inside(from, "pkg/workflow") && inside(to, "pkg/delivery"):
		return "the workflow engine does not know deliveries", "give the engine a func or interface that the reconciler binds"
	case inside(to, "pkg/workflow") && inside(from, "pkg/delivery") && !inside(from, "pkg/delivery/status") && from != "pkg/delivery":
		return "of the stages only status reads the progress of a workflow", "pass the value in"
	}
	s, t := stage(from), stage(to)
	if s >= 0 && t > s {
		return fmt.Sprintf("stage %s comes before stage %s", stages()[s], stages()[t]), "move the shared type to the earlier stage, or pass a func"
	}
	if s >= 0 && to == "pkg/delivery" {
		return "a stage may not import the package that composes the stages", "pass the value in"
	}
	return "", ""
}

// stage returns the position of the stage that a package belongs to, or -1.
func stage(path string) int {
	return slices.IndexFunc(stages(), func(s string) bool { return inside(path, "pkg/delivery/"+s) })
}

// mutual finds areas (pkg/x, references/x) that import each other, through
// whatever packages inside them.
func mutual(pkgs []*Package) []Breach {
	imports := map[[2]string]string{}
	for _, p := range pkgs {
		for _, i := range p.Imports {
			if a, b := area(p.Path), area(i); own(i) && a != b {
				imports[[2]string{a, b}] = p.Path + " -> " + i
			}
		}
	}
	var out []Breach
	for pair, one := range imports {
		other, both := imports[[2]string{pair[1], pair[0]}]
		if both && pair[0] < pair[1] {
			out = append(out, Breach{
				Rule: "mutual", Subject: pair[0] + " <-> " + pair[1],
				Message: fmt.Sprintf("they import each other: %s and %s", one, other),
				Fix:     "decide who is below; the lower one declares an interface or the shared type",
			})
		}
	}
	return out
}

// area returns the first two elements of a path.
func area(path string) string {
	parts := strings.SplitN(path, "/", 3)
	if len(parts) < 2 {
		return path
	}
	return parts[0] + "/" + parts[1]
}
