package observe

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/parser"

	"github.com/seed-c5f95f19/vela/pkg/cue"
)

// maxDetail is the longest label of a detail, as in KubeVela.
const maxDetail = 32

// details evaluates the details rule: every concrete top-level field becomes
// an entry, as text; fields that start with $ and those that context already
// has are only for the other rules. all holds the values of both.
func (r rules) details(ctx context.Context) (shown map[string]string, all map[string]any) {
	all = map[string]any{}
	if r.part.def.Details == "" {
		return nil, all
	}
	a := r.ask(ctx, "details", r.part.def.Details, func(res *cue.Result) (answer, error) {
		values := map[string]any{}
		for label := range detailLabels(r.part.def.Details) {
			// What the status does not tell yet is no mistake.
			if v, ok, err := res.Lookup(strconv.Quote(label)); err == nil && ok {
				values[label] = v
			}
		}
		return answer{values: values}, nil
	})
	if a.err != nil {
		return nil, all // the status does not have the fields yet
	}
	shown = map[string]string{}
	for label, value := range a.values {
		all[label] = value
		if _, taken := r.context[label]; taken || strings.HasPrefix(label, "$") || len(label) >= maxDetail {
			continue
		}
		shown[label] = detail(value)
	}
	return shown, all
}

// detail writes a value as people read it.
func detail(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case map[string]any, []any:
		if b, err := json.Marshal(v); err == nil {
			return string(b)
		}
	}
	return fmt.Sprint(v)
}

// detailLabels returns the names of the top-level fields of a CUE text that
// are not declared private.
func detailLabels(text string) map[string]bool {
	labels := map[string]bool{}
	f, err := parser.ParseFile("details", text)
	if err == nil {
		addLabels(labels, f.Decls)
	}
	return labels
}

func addLabels(labels map[string]bool, decls []ast.Decl) {
	for _, d := range decls {
		switch d := d.(type) {
		case *ast.Comprehension:
			if s, ok := d.Value.(*ast.StructLit); ok {
				addLabels(labels, s.Elts)
			}
		case *ast.Field:
			name, _, err := ast.LabelName(d.Label)
			if err != nil || isPrivate(d) {
				continue
			}
			if id, ok := d.Label.(*ast.Ident); ok && (strings.HasPrefix(id.Name, "_") || strings.HasPrefix(id.Name, "#")) {
				continue
			}
			labels[name] = true
		}
	}
}

func isPrivate(f *ast.Field) bool {
	for _, a := range f.Attrs {
		if name, _ := a.Split(); name == "local" || name == "private" {
			return true
		}
	}
	return false
}
