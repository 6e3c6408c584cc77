package render

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/runtime"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/cue"
	"github.com/seed-c5f95f19/vela/pkg/cue/patch"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider"
	"github.com/seed-c5f95f19/vela/pkg/fault"
)

// Definitions of KubeVela before 1.9 may be a chart or an object instead of a
// template in CUE. A chart becomes what the addon fluxcd understands.

// defaultInterval is how often Flux looks for news where the definition does not
// say.
const defaultInterval = "5m"

// chart renders a component whose definition is a Helm chart: a HelmRelease, and
// beside it the repository of the chart. The properties are values of the chart;
// they go before those of the definition.
func (j *job) chart() (map[string]any, []cue.Named, error) {
	u := j.component
	release, err := u.raw("helm.release", u.def.Helm.Release)
	if err != nil {
		return nil, nil, err
	}
	repository, err := u.raw("helm.repository", u.def.Helm.Repository)
	if err != nil {
		return nil, nil, err
	}
	name := j.req.Blueprint.App.Name + "-" + j.req.Component.Name
	if key := j.req.Component.ReplicaKey; key != "" {
		name += "-" + key
	}
	chart, _ := release["chart"].(map[string]any)
	spec, _ := chart["spec"].(map[string]any)
	if spec["chart"] == nil || repository["url"] == nil {
		return nil, nil, u.invalid(errors.New("schematic.helm needs release.chart.spec.chart and repository.url"))
	}
	spec = maps.Clone(spec)
	spec["sourceRef"] = map[string]any{"kind": "HelmRepository", "name": name, "namespace": j.req.Namespace}
	chart = maps.Clone(chart)
	chart["spec"], release["chart"] = spec, chart
	for _, o := range []map[string]any{release, repository} {
		if o["interval"] == nil {
			o["interval"] = defaultInterval
		}
	}
	values, _ := release["values"].(map[string]any)
	if values = over(values, u.properties); len(values) > 0 {
		release["values"] = values
	}
	object := func(apiVersion, kind string, spec map[string]any) map[string]any {
		return map[string]any{"apiVersion": apiVersion, "kind": kind, "metadata": map[string]any{"name": name}, "spec": spec}
	}
	return object("helm.toolkit.fluxcd.io/v2beta1", "HelmRelease", release),
		[]cue.Named{{Name: "repository", Object: object("source.toolkit.fluxcd.io/v1beta2", "HelmRepository", repository)}}, nil
}

// over returns base with the fields of more over it.
func over(base, more map[string]any) map[string]any {
	out := maps.Clone(base)
	if out == nil {
		out = map[string]any{}
	}
	for k, v := range more {
		b, isObject := out[k].(map[string]any)
		if m, both := v.(map[string]any); isObject && both {
			v = over(b, m)
		}
		out[k] = v
	}
	return out
}

// object renders a component whose definition is an object with places for
// parameters.
func (j *job) object() (map[string]any, error) {
	u := j.component
	out, err := u.raw("kube.template", u.def.Kube.Template)
	if err != nil {
		return nil, err
	}
	var errs []error
	known := map[string]bool{}
	for _, p := range u.def.Kube.Parameters {
		known[p.Name] = true
		value, given := u.properties[p.Name]
		switch {
		case !given && p.Required != nil && *p.Required:
			errs = append(errs, u.property("", fmt.Errorf("the property %q is missing: expected a %s", p.Name, p.ValueType)))
		case !given:
		case !isOf(p.ValueType, value):
			errs = append(errs, u.property(p.Name, fmt.Errorf("expected a %s, got %s", p.ValueType, kindOf(value))))
		default:
			for _, path := range p.FieldPaths {
				if err := place(out, path, value); err != nil {
					errs = append(errs, u.invalid(fmt.Errorf("parameter %q: %w", p.Name, err)))
				}
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(u.properties)) {
		if !known[name] {
			errs = append(errs, u.property(name, fmt.Errorf("type %q has no such property", u.def.Name)))
		}
	}
	return out, errors.Join(errs...)
}

// raw reads an object out of a definition; the caller may change it.
func (u unit) raw(field string, raw runtime.RawExtension) (map[string]any, error) {
	v, err := provider.Unmarshal(raw.Raw)
	out, ok := v.(map[string]any)
	if err != nil || !ok {
		return nil, u.invalid(fmt.Errorf("schematic.%s is no object", field))
	}
	return out, nil
}

// invalid is a mistake of whoever wrote the definition.
func (u unit) invalid(err error) error {
	return fault.Because(v1beta1.ReasonInvalidDefinition,
		fmt.Errorf("%s: component definition %q: %w", u.what, u.def.Name, err), fault.At(u.origin.Sub("type").String()))
}

// property is a mistake in a property.
func (u unit) property(path string, err error) error {
	return fault.Invalid(v1beta1.ReasonInvalidProperties, fmt.Errorf("%s: %w", u.what, err), fault.At(u.origin.Property(path)))
}

func isOf(typ v1beta1.KubeParameterType, value any) bool {
	return kindOf(value) == "a "+string(typ)
}

func kindOf(value any) string {
	switch value.(type) {
	case string:
		return "a string"
	case bool:
		return "a boolean"
	case int64, float64:
		return "a number"
	case []any:
		return "a list"
	case nil:
		return "null"
	}
	return "an object"
}

// place sets the field at a path such as spec.containers[0].image, where objects
// on the way may be missing.
func place(into map[string]any, path string, value any) error {
	var at any = into
	fields := strings.Split(strings.NewReplacer("[", ".[", "]", "").Replace(path), ".")
	for i, field := range fields {
		last := i == len(fields)-1
		if n, isIndex := strings.CutPrefix(field, "["); isIndex {
			list, _ := at.([]any)
			k, err := strconv.Atoi(n)
			if err != nil || k < 0 || k >= len(list) {
				return fmt.Errorf("the template has nothing at %s", path)
			}
			if last {
				list[k] = value
			}
			at = list[k]
			continue
		}
		m, ok := at.(map[string]any)
		if !ok {
			return fmt.Errorf("the template has no object at %s", cmp.Or(strings.Join(fields[:i], "."), path))
		}
		switch {
		case last:
			m[field] = value
		case m[field] == nil && strings.HasPrefix(fields[i+1], "["):
			return fmt.Errorf("the template has nothing at %s", path)
		case m[field] == nil:
			m[field] = map[string]any{}
		}
		at = m[field]
	}
	return nil
}

// foreign renders a component whose definition is no template in CUE; ok is
// false when it is one.
func (j *job) foreign() (ok bool, err error) {
	var beside []cue.Named
	switch def := j.component.def; {
	case def.Terraform != nil:
		j.workload, err = j.configuration()
	case def.Helm != nil && def.Template == "":
		j.workload, beside, err = j.chart()
	case def.Kube != nil && def.Template == "":
		j.workload, err = j.object()
	default:
		return false, nil
	}
	if err != nil {
		return true, err
	}
	j.owners = patch.NewOwners(j.component.what)
	return true, j.add(beside, j.component, "")
}
