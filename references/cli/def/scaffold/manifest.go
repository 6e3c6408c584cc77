package scaffold

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"cuelang.org/go/cue/literal"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/seed-c5f95f19/vela/references/cli/source"
)

// fromManifest makes the template from objects that somebody wrote.
func (o *Options) fromManifest(ctx context.Context) (string, error) {
	docs, err := source.Read(ctx, o.Factory.IO.In, o.TemplateYAML)
	if err != nil {
		return "", err
	}
	var objs []*unstructured.Unstructured
	for _, d := range docs {
		objs = append(objs, clean(d.Object))
	}
	slices.SortStableFunc(objs, func(a, b *unstructured.Unstructured) int { return cmp.Compare(weight(a), weight(b)) })
	m := newMaker(objs, o.Type)
	attributes := ""
	if o.Type == "component" {
		attributes = fmt.Sprintf("workload: definition: {apiVersion: %s, kind: %s}\n", quote(objs[0].GetAPIVersion()), quote(objs[0].GetKind()))
	}
	template := m.objects(objs)
	return o.head(attributes, "") + "template: {\n" + template + "\n" + m.parameters() + "}\n", nil
}

// clean takes away what only a server knows.
func clean(u *unstructured.Unstructured) *unstructured.Unstructured {
	u = u.DeepCopy()
	delete(u.Object, "status")
	for _, field := range []string{"namespace", "uid", "resourceVersion", "generation", "creationTimestamp", "managedFields", "ownerReferences", "selfLink"} {
		unstructured.RemoveNestedField(u.Object, "metadata", field)
	}
	annotations := u.GetAnnotations()
	maps.DeleteFunc(annotations, func(key, _ string) bool {
		return key == "kubectl.kubernetes.io/last-applied-configuration" || key == "deployment.kubernetes.io/revision"
	})
	u.SetAnnotations(annotations)
	if len(annotations) == 0 {
		unstructured.RemoveNestedField(u.Object, "metadata", "annotations")
	}
	return u
}

// weight puts what runs pods first: it is the workload.
func weight(u *unstructured.Unstructured) int {
	if _, ok, _ := unstructured.NestedMap(u.Object, "spec", "template", "spec"); ok {
		return 0
	}
	if _, ok, _ := unstructured.NestedMap(u.Object, "spec", "jobTemplate"); ok || u.GetKind() == "Pod" {
		return 1
	}
	return 2
}

// A maker writes objects as CUE and collects the parameters on its way.
type maker struct {
	kind  string            // of the definition
	names map[string]string // expressions for the names of the objects
	ports map[int64]string  // expressions for the ports of the containers
	found []parameter
}

// A parameter is what differs from one use of a definition to the next.
type parameter struct{ name, usage, value string }

func newMaker(objs []*unstructured.Unstructured, kind string) *maker {
	m := &maker{kind: kind, names: map[string]string{}, ports: map[int64]string{}}
	main := objs[0].GetName()
	for _, o := range objs {
		name := o.GetName()
		switch rest, more := strings.CutPrefix(name, main+"-"); {
		case name == "" || main == "":
		case name == main:
			m.names[name] = "context.name"
		case more:
			m.names[name] = `"\(context.name)-` + rest + `"`
		}
	}
	m.findPorts(objs[0].Object)
	return m
}

// findPorts makes the first port of each container a parameter, whose number is
// then known wherever it stands.
func (m *maker) findPorts(v any) {
	switch v := v.(type) {
	case map[string]any:
		if n, ok := v["containerPort"].(int64); ok && m.ports[n] == "" {
			name := "port"
			if len(m.ports) > 0 {
				name = "port" + fmt.Sprint(len(m.ports)+1)
				if given, ok := v["name"].(string); ok && isName(given) {
					name = given + "Port"
				}
			}
			m.ports[n] = m.parameter(name, "Port that the program listens on", fmt.Sprintf("*%d | int", n))
		}
		for _, key := range slices.Sorted(maps.Keys(v)) {
			m.findPorts(v[key])
		}
	case []any:
		for _, e := range v {
			m.findPorts(e)
		}
	}
}

// parameter adds one and returns the expression for it.
func (m *maker) parameter(name, usage, value string) string {
	if !slices.ContainsFunc(m.found, func(p parameter) bool { return p.name == name }) {
		m.found = append(m.found, parameter{name, usage, value})
	}
	return "parameter." + name
}

// objects writes the first object as output, the others as outputs. A trait has
// only outputs.
func (m *maker) objects(objs []*unstructured.Unstructured) string {
	var b strings.Builder
	taken := map[string]bool{}
	for i, o := range objs {
		if i == 0 && m.kind != "trait" && m.kind != "workflow-step" {
			fmt.Fprintf(&b, "output: %s\n", m.expr(o.Object, "", nil))
			continue
		}
		name := strings.ToLower(o.GetKind())
		for n := 2; taken[name]; n++ {
			name = fmt.Sprintf("%s%d", strings.ToLower(o.GetKind()), n)
		}
		taken[name] = true
		fmt.Fprintf(&b, "outputs: %s: %s\n", label(name), m.expr(o.Object, "", nil))
	}
	return b.String()
}

func (m *maker) parameters() string {
	if len(m.found) == 0 {
		return "parameter: {}\n"
	}
	var b strings.Builder
	b.WriteString("parameter: {\n")
	for _, p := range m.found {
		name, inner, nested := strings.Cut(p.name, ".")
		if nested {
			name = name + ": " + inner
		}
		fmt.Fprintf(&b, "// +usage=%s\n%s: %s\n", p.usage, name, p.value)
	}
	b.WriteString("}\n")
	return b.String()
}

// expr writes a value that stands under key, inside the given object.
func (m *maker) expr(v any, key string, in map[string]any) string {
	if e := m.parameterOf(v, key, in); e != "" {
		return e
	}
	switch v := v.(type) {
	case map[string]any:
		if len(v) == 0 {
			return "{}"
		}
		var b strings.Builder
		b.WriteString("{\n")
		for _, k := range order(v) {
			fmt.Fprintf(&b, "%s: %s\n", label(k), m.expr(v[k], k, v))
		}
		b.WriteString("}")
		return b.String()
	case []any:
		var items []string
		for _, e := range v {
			items = append(items, m.expr(e, key, in))
		}
		if len(items) == 0 {
			return "[]"
		}
		return "[" + strings.Join(items, ", ") + "]"
	case string:
		if e := m.names[v]; e != "" {
			return e
		}
		return quote(v)
	case nil:
		return "null"
	}
	return fmt.Sprint(v)
}

// parameterOf says by which parameter a value is replaced, "" for none.
func (m *maker) parameterOf(v any, key string, in map[string]any) string {
	n, isNumber := v.(int64)
	s, isText := v.(string)
	switch {
	case key == "replicas" && isNumber:
		return m.parameter("replicas", "How many run", fmt.Sprintf("*%d | int", n))
	case isNumber && m.ports[n] != "" && slices.Contains([]string{"containerPort", "port", "targetPort", "number"}, key):
		return m.ports[n]
	case key == "image" && isText:
		return m.image(in)
	case key == "host" && isText && in["http"] != nil, key == "hosts" && isText:
		return m.parameter("host", "Host name under which it is reached", "*"+quote(s)+" | string")
	case (key == "cpu" || key == "memory" || key == "storage") && (isText || isNumber):
		return m.resource(key, "*"+quote(fmt.Sprint(v))+" | string")
	case key == "value" && isText && in["name"] != nil && m.names[s] == "":
		return m.environment(fmt.Sprint(in["name"]), s)
	case key == "schedule" && isText:
		return m.parameter("schedule", "When it runs, as cron writes it", "*"+quote(s)+" | string")
	}
	return ""
}

// resource makes an amount a parameter. Limits come first; a request that is
// another amount is a parameter of its own.
func (m *maker) resource(name, value string) string {
	other := func(p parameter) bool { return p.name == name && p.value != value }
	if slices.ContainsFunc(m.found, other) {
		return m.parameter(name+"Request", usageOf(name)+", that is kept free for it", value)
	}
	return m.parameter(name, usageOf(name), value)
}

func usageOf(resource string) string {
	return map[string]string{
		"cpu": "CPU of one instance, in cores", "memory": "Memory of one instance", "storage": "Size of the volume",
	}[resource]
}

// image makes the image of the first container the parameter of that name; it
// has to be given. Others are called like their container.
func (m *maker) image(in map[string]any) string {
	name := "image"
	container, _ := in["name"].(string)
	if slices.ContainsFunc(m.found, func(p parameter) bool { return p.name == "image" }) {
		if name = container + "Image"; !isName(name) {
			return ""
		}
		return m.parameter(name, "Image of the container "+container, "*"+quote(fmt.Sprint(in["image"]))+" | string")
	}
	return m.parameter(name, "Image of the container", "string")
}

// environment makes the value of a variable a parameter below env.
func (m *maker) environment(name, value string) string {
	if !isName(name) {
		return ""
	}
	return m.parameter("env."+name, "Environment variable "+name, "*"+quote(value)+" | string")
}

// order writes what says what an object is first, then the rest by name.
func order(v map[string]any) []string {
	first := []string{"apiVersion", "kind", "metadata", "name", "type"}
	keys := slices.Sorted(maps.Keys(v))
	rank := func(k string) int {
		if i := slices.Index(first, k); i >= 0 {
			return i
		}
		return len(first)
	}
	slices.SortStableFunc(keys, func(a, b string) int { return cmp.Compare(rank(a), rank(b)) })
	return keys
}

var plainName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]*$`)

func isName(s string) bool {
	return plainName.MatchString(s) && !slices.Contains([]string{"for", "if", "let", "in", "true", "false", "null", "import", "package"}, s)
}

// label writes the name of a field.
func label(s string) string {
	if isName(s) {
		return s
	}
	return literal.Label.Quote(s)
}

// quote writes text, over several lines where it has them.
func quote(s string) string {
	if strings.Contains(s, "\n") {
		return literal.String.WithOptionalTabIndent(2).Quote(s)
	}
	return literal.String.Quote(s)
}
