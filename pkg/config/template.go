package config

import (
	"fmt"
	"strconv"
	"strings"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/parser"
	corev1 "k8s.io/api/core/v1"

	cuetext "github.com/seed-c5f95f19/vela/pkg/cue/text"
	"github.com/seed-c5f95f19/vela/pkg/fault"
	"github.com/seed-c5f95f19/vela/pkg/oam"
)

// A template makes the objects of configs.
type template struct {
	namespace, name string
	text            string // imports and the inside of the field template
	scope           string
	sensitive       bool
}

// How templates are stored in ConfigMaps.
const (
	templatePrefix = "config-template-"
	keyTemplate    = "template"
)

func templateOf(cm *corev1.ConfigMap, name string) (template, error) {
	text, err := inside(cm.Name, cm.Data[keyTemplate])
	if err != nil {
		return template{}, fault.Because(ReasonInvalidTemplate, fmt.Errorf("config template %q: %w", name, err))
	}
	sensitive, _ := strconv.ParseBool(cm.Annotations[oam.AnnotationConfigSecret]) // anything else is no
	return template{namespace: cm.Namespace, name: name, text: text, scope: cm.Labels[oam.LabelConfigScope], sensitive: sensitive}, nil
}

// inside returns what is evaluated of a template file: everything but the
// description, with the inside of the field template at the top, as it is
// written. A text without that field is one that is inside already.
func inside(name, text string) (string, error) {
	f, err := parser.ParseFile(name, text)
	if err != nil {
		fixed, _ := cuetext.Repair(text)
		g, retry := parser.ParseFile(name, fixed)
		if retry != nil {
			return "", fmt.Errorf("the text is not CUE: %w", err)
		}
		f, text = g, fixed
	}
	var head, body strings.Builder
	found := false
	for _, d := range f.Decls {
		label, value := "", ast.Expr(nil)
		if field, ok := d.(*ast.Field); ok {
			label, _, _ = ast.LabelName(field.Label)
			value = field.Value
		}
		s, isStruct := value.(*ast.StructLit)
		switch {
		case label == "template" && isStruct && s.Lbrace.IsValid():
			found = true
			body.WriteString(text[s.Lbrace.Offset()+1:s.Rbrace.Offset()] + "\n")
		case label != "metadata":
			head.WriteString(text[d.Pos().Offset():d.End().Offset()] + "\n")
		}
	}
	if !found {
		return text, nil
	}
	return head.String() + body.String(), nil
}
