package definition

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/cuecontext"
	cueerrors "cuelang.org/go/cue/errors"
	"cuelang.org/go/cue/format"
	"cuelang.org/go/cue/parser"
	"cuelang.org/go/cue/token"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	cuetext "github.com/seed-c5f95f19/vela/pkg/cue/text"
)

// Annotations of a definition that the CUE file has fields for.
const (
	descriptionKey = "definition.oam.dev/description"
	aliasKey       = "definition.oam.dev/alias"
	userPrefix     = "custom.definition.oam.dev/"
)

// workloadType is the type that a file of a WorkloadDefinition has.
const workloadType = "workload"

// A header is the part of a definition file that describes the definition.
type header struct {
	Type        string            `json:"type"`
	Alias       string            `json:"alias,omitempty"`
	Description string            `json:"description,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
	Labels      map[string]string `json:"labels,omitempty"`
	Attributes  map[string]any    `json:"attributes,omitempty"`
}

// ParseCUE reads a definition as authors write it, one field named after the
// definition that describes it and one named template, and returns the object
// that goes into a cluster. file is the name for error messages.
func ParseCUE(file, text string) (client.Object, error) {
	f, err := parser.ParseFile(file, text, parser.ParseComments)
	if err != nil {
		fixed, _ := cuetext.Repair(text)
		g, retry := parser.ParseFile(file, fixed, parser.ParseComments)
		if retry != nil {
			return nil, cueError(err)
		}
		f, text = g, fixed
	}
	parts, err := split(f, text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	data, err := parts.description()
	if err != nil {
		if strings.HasPrefix(err.Error(), file+":") {
			return nil, err
		}
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	var h header
	if err := json.Unmarshal(data, &h); err != nil {
		return nil, fmt.Errorf("%s: field %q: %w", file, parts.name, err)
	}
	obj, err := h.object(parts.name, parts.template)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return obj, nil
}

// parts are the pieces of a definition file.
type parts struct {
	name     string    // of the definition
	head     *ast.File // everything but imports and template
	template string    // imports and the inside of template, as written
	from, to int       // bytes of the file that are the inside of template
}

func split(f *ast.File, text string) (parts, error) {
	p := parts{head: &ast.File{Filename: f.Filename}}
	var imports []string
	var template *ast.StructLit
	for _, decl := range f.Decls {
		switch d := decl.(type) {
		case *ast.ImportDecl:
			b, err := format.Node(d)
			if err != nil {
				return p, err
			}
			imports = append(imports, strings.TrimSpace(string(b)))
		case *ast.Field:
			name, _, err := ast.LabelName(d.Label)
			if err != nil {
				return p, err
			}
			if name != "template" {
				if p.name != "" {
					return p, fmt.Errorf("fields %q and %q: a file describes one definition", p.name, name)
				}
				p.name = name
				p.head.Decls = append(p.head.Decls, d)
				continue
			}
			s, ok := d.Value.(*ast.StructLit)
			if !ok {
				return p, fmt.Errorf("template is not a struct")
			}
			template = s
		case *ast.CommentGroup, *ast.Package:
		default:
			p.head.Decls = append(p.head.Decls, d)
		}
	}
	if p.name == "" {
		return p, fmt.Errorf("no field describes the definition")
	}
	if template == nil {
		return p, fmt.Errorf("no field template")
	}
	from, to := template.Pos().Offset(), template.End().Offset() // template: parameter: {...}
	if template.Lbrace.IsValid() {
		from, to = template.Lbrace.Offset()+1, template.Rbrace.Offset()
	}
	body := dedent(text[from:to])
	if len(imports) > 0 {
		body = strings.Join(imports, "\n") + "\n\n" + body
	}
	p.template, p.from, p.to = body, from, to
	return p, nil
}

// description returns the field that describes the definition as JSON.
func (p parts) description() ([]byte, error) {
	if fields, ok := plainFields(p.head.Decls); ok {
		return json.Marshal(fields[p.name])
	}
	v := cuecontext.New().BuildFile(p.head)
	if err := v.Validate(cue.Concrete(true)); err != nil {
		return nil, cueError(err)
	}
	data, err := v.LookupPath(cue.MakePath(cue.Str(p.name))).MarshalJSON()
	if err != nil {
		return nil, cueError(err)
	}
	return data, nil
}

// object makes the wire object. It goes through JSON, so that what the typed
// object cannot hold is an error of the right field.
func (h header) object(name, template string) (client.Object, error) {
	kind := Kind(h.Type).wireKind()
	if h.Type == workloadType {
		kind = v1beta1.WorkloadDefinitionKind
	}
	obj := emptyOf(kind)
	if obj == nil {
		return nil, fmt.Errorf("type is %q, not component, trait, policy, workflow-step or workload", h.Type)
	}
	spec := map[string]any{}
	maps.Copy(spec, h.Attributes)
	schematic, ok := spec["schematic"].(map[string]any)
	if !ok {
		schematic = map[string]any{}
	}
	if strings.TrimSpace(template) != "" || !ok {
		schematic["cue"] = map[string]any{"template": template}
	}
	spec["schematic"] = schematic
	data, err := json.Marshal(map[string]any{"spec": spec})
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(data, obj); err != nil {
		return nil, fmt.Errorf("attributes: %w", err)
	}
	obj.GetObjectKind().SetGroupVersionKind(v1beta1.GroupVersion.WithKind(kind))
	obj.SetName(name)
	obj.SetLabels(prefixed(h.Labels))
	annotations := prefixed(h.Annotations)
	if annotations == nil {
		annotations = map[string]string{}
	}
	for key, value := range map[string]string{descriptionKey: h.Description, aliasKey: h.Alias} {
		if value != "" {
			annotations[key] = value
		}
	}
	obj.SetAnnotations(annotations)
	return obj, nil
}

// prefixed marks the keys that authors make up as theirs.
func prefixed(m map[string]string) map[string]string {
	if len(m) == 0 {
		return nil
	}
	out := make(map[string]string, len(m))
	for k, v := range m {
		if !strings.Contains(k, "oam.dev") {
			k = userPrefix + k
		}
		out[k] = v
	}
	return out
}

// dedent takes away the indentation that all lines share.
func dedent(s string) string {
	lines := strings.Split(strings.Trim(s, "\n"), "\n")
	indent, first := "", true
	for _, l := range lines {
		if strings.TrimSpace(l) == "" {
			continue
		}
		own := l[:len(l)-len(strings.TrimLeft(l, "\t "))]
		if first {
			indent, first = own, false
		}
		for !strings.HasPrefix(own, indent) {
			indent = indent[:len(indent)-1]
		}
	}
	for i, l := range lines {
		lines[i] = strings.TrimRight(strings.TrimPrefix(l, indent), "\t ")
	}
	return strings.TrimRight(strings.Join(lines, "\n"), "\n") + "\n"
}

// cueError keeps of a CUE error what helps an author: a line for each mistake
// with its place. What follows from the first mistake in the syntax is left out.
func cueError(err error) error {
	var lines []string
	for _, e := range cueerrors.Errors(err) {
		format, args := e.Msg()
		line := fmt.Sprintf(format, args...)
		if path := strings.Join(e.Path(), "."); path != "" {
			line = path + ": " + line
		}
		if at := place(e); at.IsValid() {
			line = fmt.Sprintf("%s:%d:%d: %s", at.Filename(), at.Line(), at.Column(), line)
		}
		if !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
		if len(e.Path()) == 0 {
			break
		}
	}
	return errors.New(strings.Join(lines, "\n"))
}

// place is the first of the places that a CUE error is about.
func place(e cueerrors.Error) token.Pos {
	if e.Position().IsValid() {
		return e.Position()
	}
	for _, p := range e.InputPositions() {
		if p.IsValid() {
			return p
		}
	}
	return token.NoPos
}
