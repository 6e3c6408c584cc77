package definition

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/format"
	"cuelang.org/go/cue/literal"
	"cuelang.org/go/cue/parser"
	"cuelang.org/go/cue/token"
	cuejson "cuelang.org/go/encoding/json"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
)

// FormatCUE is the inverse of ParseCUE: the file that an author would have
// written for the definition in obj.
func FormatCUE(obj runtime.Object) (string, error) {
	d, err := FromObject(obj)
	if err != nil {
		return "", err
	}
	h, err := headerOf(d)
	if err != nil {
		return "", fmt.Errorf("format %s %q: %w", d.Kind, d.Name, err)
	}
	head, err := headText(d.Name, h)
	if err != nil {
		return "", fmt.Errorf("format %s %q: %w", d.Kind, d.Name, err)
	}
	imports, body, err := hoist(d.Template)
	if err != nil {
		return "", fmt.Errorf("template of %s %q: %w", d.Kind, d.Name, err)
	}
	out, err := format.Source([]byte(imports + head + "\ntemplate: {\n" + body + "\n}\n"))
	if err != nil {
		return "", fmt.Errorf("format %s %q: %w", d.Kind, d.Name, cueError(err))
	}
	return string(out), nil
}

// headerOf takes the describing part out of the wire object.
func headerOf(d Definition) (header, error) {
	obj, ok := d.Object.(client.Object)
	if !ok {
		return header{}, fmt.Errorf("%T has no metadata", d.Object)
	}
	data, err := json.Marshal(obj)
	if err != nil {
		return header{}, err
	}
	var wire struct {
		Spec map[string]any `json:"spec"`
	}
	if err := json.Unmarshal(data, &wire); err != nil {
		return header{}, err
	}
	if s, ok := wire.Spec["schematic"].(map[string]any); ok {
		delete(s, "cue")
		if len(s) == 0 {
			delete(wire.Spec, "schematic")
		}
	}
	annotations := maps.Clone(obj.GetAnnotations())
	h := header{Type: string(d.Kind), Alias: annotations[aliasKey], Description: annotations[descriptionKey], Attributes: wire.Spec}
	if _, ok := obj.(*v1beta1.WorkloadDefinition); ok {
		h.Type = workloadType
	}
	delete(annotations, aliasKey)
	delete(annotations, descriptionKey)
	h.Annotations, h.Labels = unprefixed(annotations), unprefixed(obj.GetLabels())
	return h, nil
}

// unprefixed is the inverse of prefixed.
func unprefixed(m map[string]string) map[string]string {
	out := make(map[string]string, len(m))
	for k, v := range m {
		out[strings.TrimPrefix(k, userPrefix)] = v
	}
	return out
}

func headText(name string, h header) (string, error) {
	data, err := json.Marshal(h)
	if err != nil {
		return "", err
	}
	expr, err := cuejson.Extract(name, data)
	if err != nil {
		return "", cueError(err)
	}
	raw(expr, 1)
	out, err := format.Node(&ast.Field{Label: ast.NewString(name), Value: expr}, format.Simplify())
	if err != nil {
		return "", cueError(err)
	}
	return string(out) + "\n", nil
}

// raw writes strings of several lines, such as health policies, the way people
// do: line by line, without escapes. depth is the indentation inside x.
func raw(x ast.Expr, depth int) {
	s, ok := x.(*ast.StructLit)
	if !ok {
		return
	}
	for _, e := range s.Elts {
		f, ok := e.(*ast.Field)
		if !ok {
			continue
		}
		lit, ok := f.Value.(*ast.BasicLit)
		if !ok {
			raw(f.Value, depth+1)
			continue
		}
		text, err := literal.Unquote(lit.Value)
		if lit.Kind != token.STRING || err != nil || !strings.Contains(text, "\n") || strings.Contains(text, `"""#`) {
			continue
		}
		indent := "\n" + strings.Repeat("\t", depth+1)
		lit.Value = `#"""` + indent + strings.ReplaceAll(text, "\n", indent) + indent + `"""#`
	}
}

// hoist takes the imports out of a template, because in a file they stand
// before everything else.
func hoist(template string) (imports, body string, err error) {
	f, err := parser.ParseFile("template", template, parser.ImportsOnly)
	if err != nil {
		return "", "", cueError(err)
	}
	end := 0
	for _, d := range f.Decls {
		if i, ok := d.(*ast.ImportDecl); ok {
			end = i.End().Offset()
		}
	}
	return template[:end] + "\n\n", strings.Trim(template[end:], "\n"), nil
}
