package schema

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/seed-c5f95f19/vela/charts"
	"github.com/seed-c5f95f19/vela/pkg/definition"
)

// draft is the version of JSON Schema that every editor knows.
const draft = "http://json-schema.org/draft-07/schema#"

// A kind is one that users write.
type kind struct{ crd, version, name string }

func kinds() []kind {
	return []kind{
		{"core.oam.dev_applications.yaml", "v1beta1", "Application"},
		{"core.oam.dev_policies.yaml", "v1alpha1", "Policy"},
		{"core.oam.dev_workflows.yaml", "v1alpha1", "Workflow"},
		{"core.oam.dev_workflowruns.yaml", "v1alpha1", "WorkflowRun"},
	}
}

// natives are types that work without a definition.
func natives() map[definition.Kind][]string {
	return map[definition.Kind][]string{
		definition.Policy:       {"debug", "env-binding"},
		definition.WorkflowStep: {"suspend", "step-group", "apply-component", "builtin-apply-component"},
	}
}

// bundle is everything in one schema.
func bundle(parts []part) (map[string]any, error) {
	all, err := frames(parts, func(p part) string { return "#/definitions/" + p.key() })
	if err != nil {
		return nil, err
	}
	inside, ok := all["definitions"].(map[string]any)
	if !ok {
		return nil, fmt.Errorf("the schema of the kinds has no definitions")
	}
	for _, p := range parts {
		inside[p.key()] = p.schema
	}
	return all, nil
}

// frames is the schema of the kinds that users write. ref says where the schema
// of a definition is.
func frames(parts []part, ref func(part) string) (map[string]any, error) {
	f := framer{uses: map[definition.Kind]*use{}}
	for _, k := range []definition.Kind{definition.Component, definition.Trait, definition.Policy, definition.WorkflowStep} {
		f.uses[k] = useOf(k, parts, ref)
	}
	inside := map[string]any{}
	var names, conditions []any
	for _, k := range kinds() {
		schema, err := k.schema()
		if err != nil {
			return nil, err
		}
		framed := f.object(schema, k.name)
		framed["properties"].(map[string]any)["apiVersion"] = map[string]any{"const": "core.oam.dev/" + k.version}
		framed["properties"].(map[string]any)["kind"] = map[string]any{"const": k.name}
		framed["properties"].(map[string]any)["metadata"] = metadata()
		framed["properties"].(map[string]any)["status"] = map[string]any{}
		inside[k.name] = framed
		names = append(names, k.name)
		conditions = append(conditions, map[string]any{
			"if":   map[string]any{"properties": map[string]any{"kind": map[string]any{"const": k.name}}, "required": []any{"kind"}},
			"then": map[string]any{"$ref": "#/definitions/" + k.name},
		})
	}
	return map[string]any{
		"$schema": draft, "title": "vela", "type": "object", "required": []any{"apiVersion", "kind", "metadata"},
		"properties": map[string]any{
			"kind":       map[string]any{"anyOf": []any{map[string]any{"enum": names}, map[string]any{"type": "string"}}},
			"apiVersion": map[string]any{"type": "string"},
		},
		"allOf": conditions, "definitions": inside,
	}, nil
}

// schema reads the schema of a kind from its CRD.
func (k kind) schema() (map[string]any, error) {
	data, err := charts.CRDs.ReadFile("vela-core/crds/" + k.crd)
	if err != nil {
		return nil, err
	}
	var crd struct {
		Spec struct {
			Versions []struct {
				Name   string `json:"name"`
				Schema struct {
					Root map[string]any `json:"openAPIV3Schema"`
				} `json:"schema"`
			} `json:"versions"`
		} `json:"spec"`
	}
	if err := yaml.Unmarshal(data, &crd); err != nil {
		return nil, fmt.Errorf("%s: %w", k.crd, err)
	}
	for _, v := range crd.Spec.Versions {
		if v.Name == k.version {
			return v.Schema.Root, nil
		}
	}
	return nil, fmt.Errorf("%s has no version %s", k.crd, k.version)
}

func metadata() map[string]any {
	text := map[string]any{"type": "string"}
	texts := map[string]any{"type": "object", "additionalProperties": text}
	return map[string]any{
		"type": "object",
		"properties": map[string]any{
			"name": text, "generateName": text, "namespace": text, "labels": texts, "annotations": texts,
		},
	}
}

// A framer turns the schema of a CRD into one for editors.
type framer struct{ uses map[definition.Kind]*use }

// object converts one node. path is where it is.
func (f framer) object(node map[string]any, path string) map[string]any {
	out := map[string]any{}
	for key, value := range node {
		switch {
		case strings.HasPrefix(key, "x-kubernetes"), key == "nullable", key == "format", key == "default":
		case key == "properties":
			props := map[string]any{}
			for name, p := range value.(map[string]any) {
				props[name] = f.object(p.(map[string]any), path+"."+name)
			}
			out[key] = props
		case key == "items" || key == "additionalProperties":
			if inner, ok := value.(map[string]any); ok {
				value = f.object(inner, path+"[]")
			}
			out[key] = value
		default:
			out[key] = value
		}
	}
	if text := descriptions()[lastOf(path)]; text != "" {
		out["description"] = text
	}
	props, closed := out["properties"].(map[string]any)
	if closed && node["x-kubernetes-preserve-unknown-fields"] == nil {
		out["additionalProperties"] = false
	}
	if u := f.uses[usedAt(path)]; u != nil && props["type"] != nil && props["properties"] != nil {
		u.constrain(out, props)
	}
	return out
}

var index = regexp.MustCompile(`(\[\])+$`)

func lastOf(path string) string {
	path = index.ReplaceAllString(path, "")
	return path[strings.LastIndexByte(path, '.')+1:]
}

// usedAt says which kind of definition is used at a place.
func usedAt(path string) definition.Kind {
	return map[string]definition.Kind{
		"components": definition.Component, "traits": definition.Trait, "policies": definition.Policy, "Policy": definition.Policy,
		"steps": definition.WorkflowStep, "subSteps": definition.WorkflowStep,
	}[lastOf(path)]
}

// A use is a place that names a definition by its type and gives it properties.
type use struct {
	typ        map[string]any
	conditions []any
}

func useOf(kind definition.Kind, parts []part, ref func(part) string) *use {
	u := &use{}
	var names, texts []any
	var patterns []string
	for _, p := range parts {
		if p.kind != kind {
			continue
		}
		names, texts = append(names, p.name), append(texts, p.description)
		patterns = append(patterns, regexp.QuoteMeta(p.name))
		u.conditions = append(u.conditions, map[string]any{
			"if": map[string]any{
				"properties": map[string]any{"type": map[string]any{"pattern": "^" + regexp.QuoteMeta(p.name) + "(@.+)?$"}},
				"required":   []any{"type"},
			},
			"then": p.then(ref(p)),
		})
	}
	for _, n := range natives()[kind] {
		if !slices.Contains(names, any(n)) {
			names, texts = append(names, n), append(texts, "")
		}
	}
	u.typ = map[string]any{"type": "string", "description": "Which " + strings.ReplaceAll(string(kind), "-", " ") + " it is", "anyOf": []any{
		map[string]any{"enum": names, "enumDescriptions": texts},
		map[string]any{"pattern": "^(" + strings.Join(patterns, "|") + ")@.+$"},
	}}
	return u
}

// then is what holds for a use of a definition. What must be given may also come
// from inputs.
func (p part) then(ref string) map[string]any {
	out := map[string]any{"properties": map[string]any{"properties": map[string]any{"$ref": ref}}}
	if len(p.required) > 0 {
		out["if"] = map[string]any{"required": []any{"inputs"}}
		out["else"] = map[string]any{
			"required":   []any{"properties"},
			"properties": map[string]any{"properties": map[string]any{"required": p.required}},
		}
	}
	return out
}

// constrain makes the type decide what the properties are.
func (u *use) constrain(out, props map[string]any) {
	props["type"] = maps.Clone(u.typ)
	props["properties"] = map[string]any{"type": []any{"object", "null"}, "description": "What the type takes"}
	if len(u.conditions) > 0 {
		out["allOf"] = u.conditions
	}
}

// descriptions are what an editor shows of the fields of the kinds.
func descriptions() map[string]string {
	return map[string]string{
		"components":       "What is delivered: each component renders to a workload and its companions",
		"traits":           "What is added to the component, in this order",
		"policies":         "Where and how the components are delivered",
		"workflow":         "The steps of the delivery; without one, everything is deployed at once",
		"steps":            "What is done, one step after the other unless the mode says otherwise",
		"subSteps":         "The steps of the group",
		"dependsOn":        "Names of what has to be done before",
		"inputs":           "Values of others that go into the properties",
		"outputs":          "Values that others can take as inputs",
		"if":               "Condition in CUE, over status, inputs and context; always runs after failures too",
		"timeout":          "After which the step has failed, such as 5m",
		"parameterKey":     "Property that gets the value, such as env[0].value",
		"valueFrom":        "Expression in CUE that gives the value, such as output.status.ip",
		"ref":              "Name of a Workflow object to use instead of steps",
		"externalRevision": "Revision of the component that somebody else keeps",
	}
}
