package definition

import (
	"fmt"
	"slices"
	"strings"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/format"
	"cuelang.org/go/cue/literal"
	"cuelang.org/go/cue/token"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/cue/text"
)

// An Outdated is something in a definition that was written for an earlier
// version of CUE. It works, because it is rewritten when the definition is
// loaded.
type Outdated struct {
	Part         string // template, healthPolicy, customStatus, details
	text.Warning        // Line counts from the start of the part, or of the file
}

// String says it in one line.
func (o Outdated) String() string {
	s := fmt.Sprintf("%s line %d: %s", o.Part, o.Line, o.Message)
	if o.Modern != "" {
		s += ": " + o.Modern
	}
	return s
}

// UpgradeObject writes the template and the status rules of a typed definition
// in today's CUE, in place, and says what was outdated. Work on a copy to learn
// only that.
func UpgradeObject(obj runtime.Object) ([]Outdated, error) {
	var found []Outdated
	for _, p := range textsOf(obj) {
		modern, warnings, err := text.Upgrade(p.name, *p.text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p.name, cueError(err))
		}
		found = append(found, outdated(p.name, warnings, 0)...)
		*p.text = modern
	}
	return found, nil
}

// A part is one CUE text of a definition.
type part struct {
	name string
	text *string
}

func textsOf(obj runtime.Object) []part {
	var parts []part
	schematic := func(s *v1beta1.Schematic) {
		if s != nil && s.CUE != nil {
			parts = append(parts, part{"template", &s.CUE.Template})
		}
	}
	rules := func(r *v1beta1.StatusRules) {
		if r != nil {
			parts = append(parts, part{"healthPolicy", &r.HealthPolicy}, part{"customStatus", &r.CustomStatus}, part{"details", &r.Details})
		}
	}
	switch o := obj.(type) {
	case *v1beta1.ComponentDefinition:
		schematic(o.Spec.Schematic)
		rules(o.Spec.Status)
	case *v1beta1.TraitDefinition:
		schematic(o.Spec.Schematic)
		rules(o.Spec.Status)
	case *v1beta1.PolicyDefinition:
		schematic(o.Spec.Schematic)
	case *v1beta1.WorkflowStepDefinition:
		schematic(o.Spec.Schematic)
	case *v1beta1.WorkloadDefinition:
		if s := o.Spec.Schematic; s != nil && s.CUE != nil {
			parts = append(parts, part{"template", &s.CUE.Template})
		}
		if r := o.Spec.Status; r != nil {
			parts = append(parts, part{"healthPolicy", &r.HealthPolicy}, part{"customStatus", &r.CustomStatus})
		}
	}
	return parts
}

func outdated(part string, warnings []text.Warning, offset int) []Outdated {
	out := make([]Outdated, 0, len(warnings))
	for _, w := range warnings {
		w.Line += offset
		out = append(out, Outdated{Part: part, Warning: w})
	}
	return out
}

// UpgradeFile writes a definition file in today's CUE and says what was
// outdated, by the lines of the file. Everything else stays as the author wrote
// it; a file that needs nothing comes back unchanged.
func UpgradeFile(file, src string) (string, []Outdated, error) {
	f, repaired, err := text.Parse(file, src)
	if err != nil {
		return "", nil, cueError(err)
	}
	if len(repaired) > 0 { // nothing in it has a place yet
		return upgradeRepaired(file, src)
	}
	u := &upgrader{src: src}
	for _, d := range f.Decls {
		field, ok := d.(*ast.Field)
		if !ok {
			continue
		}
		if name, _, err := ast.LabelName(field.Label); err == nil && name != "template" {
			u.rules(field.Value)
		}
	}
	if err := u.template(f); err != nil {
		return "", nil, fmt.Errorf("%s: %w", file, err)
	}
	if u.err != nil {
		return "", nil, u.err
	}
	if len(u.found) == 0 {
		return src, nil, nil
	}
	out, err := format.Source([]byte(u.text()))
	if err != nil {
		return "", nil, cueError(err)
	}
	slices.SortStableFunc(u.found, func(a, b Outdated) int { return a.Line - b.Line })
	return string(out), u.found, nil
}

// upgradeRepaired upgrades a file that does not parse as it is.
func upgradeRepaired(file, src string) (string, []Outdated, error) {
	fixed, warnings := text.Repair(src)
	out, found, err := UpgradeFile(file, fixed)
	return out, append(outdated("file", warnings, 0), found...), err
}

// An upgrader collects the edits of one definition file.
type upgrader struct {
	src   string
	edits []edit
	found []Outdated
	err   error
}

type edit struct {
	from, to int // bytes of the source
	text     string
}

// text is the source with all edits.
func (u *upgrader) text() string {
	slices.SortFunc(u.edits, func(a, b edit) int { return a.from - b.from })
	var b strings.Builder
	at := 0
	for _, e := range u.edits {
		b.WriteString(u.src[at:e.from] + e.text)
		at = e.to
	}
	b.WriteString(u.src[at:])
	return b.String()
}

// rules finds the texts of status rules, which are strings in a definition.
func (u *upgrader) rules(x ast.Node) {
	ast.Walk(x, func(n ast.Node) bool {
		f, ok := n.(*ast.Field)
		if !ok {
			return true
		}
		name, _, err := ast.LabelName(f.Label)
		lit, isLit := f.Value.(*ast.BasicLit)
		if err != nil || !isLit || lit.Kind != token.STRING || name != "healthPolicy" && name != "customStatus" && name != "details" {
			return true
		}
		u.rule(name, lit)
		return false
	}, nil)
}

func (u *upgrader) rule(name string, lit *ast.BasicLit) {
	old, err := literal.Unquote(lit.Value)
	if err != nil {
		return
	}
	modern, warnings, err := text.Upgrade(name, old)
	if err != nil {
		u.err = fmt.Errorf("%s: %w", name, cueError(err))
		return
	}
	if len(warnings) == 0 {
		return
	}
	offset := lit.Pos().Line() - 1
	if strings.Contains(lit.Value, "\n") {
		offset++ // the text begins on the line after the quotes
	}
	u.found = append(u.found, outdated(name, warnings, offset)...)
	indent := "\n" + indentOf(u.src, lit.Pos().Offset()) + "\t"
	modern = strings.TrimRight(modern, "\n")
	u.edits = append(u.edits, edit{lit.Pos().Offset(), lit.End().Offset(),
		`#"""` + indent + strings.ReplaceAll(modern, "\n", indent) + indent + `"""#`})
}

// indentOf is the indentation of the line that a place is in.
func indentOf(src string, at int) string {
	line := src[strings.LastIndexByte(src[:at], '\n')+1:]
	return line[:len(line)-len(strings.TrimLeft(line, " \t"))]
}

// template upgrades the template with the imports of the file.
func (u *upgrader) template(f *ast.File) error {
	p, err := split(f, u.src)
	if err != nil {
		return err
	}
	modern, warnings, err := text.Upgrade("template", p.template)
	if err != nil {
		return cueError(err)
	}
	if len(warnings) == 0 {
		return nil
	}
	imports, body, err := hoist(modern)
	if err != nil {
		return err
	}
	u.imports(f, strings.TrimSpace(imports))
	from, to := p.from, p.to
	first := from + len(u.src[from:to]) - len(strings.TrimLeft(u.src[from:to], " \t\n"))
	head := strings.Count(p.template[:len(p.template)-len(dedent(u.src[from:to]))], "\n")
	u.found = append(u.found, outdated("template", warnings, strings.Count(u.src[:first], "\n")-head)...)
	if u.src[from-1] == '{' {
		u.edits = append(u.edits, edit{from, to, "\n" + body + "\n"})
	} else {
		u.edits = append(u.edits, edit{from, to, "{\n" + body + "\n}"})
	}
	return nil
}

// imports replaces the imports of the file, which stand before everything else.
func (u *upgrader) imports(f *ast.File, modern string) {
	at := -1
	for _, d := range f.Decls {
		if i, ok := d.(*ast.ImportDecl); ok {
			if at < 0 {
				at = i.Pos().Offset()
				for _, doc := range ast.Comments(i) { // the new text has them
					at = min(at, doc.Pos().Offset())
				}
				u.edits = append(u.edits, edit{at, i.End().Offset(), modern})
				continue
			}
			u.edits = append(u.edits, edit{i.Pos().Offset(), i.End().Offset(), ""})
		}
	}
	if at < 0 && modern != "" {
		u.edits = append(u.edits, edit{0, 0, modern + "\n\n"})
	}
}
