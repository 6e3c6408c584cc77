package helm

import (
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"
	v2 "helm.sh/helm/v4/pkg/chart/v2"
)

// settle leaves those charts that a chart depends on for these values, under
// their aliases, and takes over what it imports of their values. It changes c.
func settle(c *v2.Chart, values map[string]any) error {
	if err := enable(c, values, ""); err != nil {
		return err
	}
	return importValues(c)
}

// enable drops the dependencies that conditions or tags turn off. path is where
// the values of c are in those of the whole.
func enable(c *v2.Chart, values map[string]any, path string) error {
	if c.Metadata.Dependencies == nil {
		return nil
	}
	c.SetDependencies(named(c)...)
	all := copied(values)
	if err := coalesce(c, all, false); err != nil {
		return err
	}
	off := map[string]bool{}
	var kept []*v2.Dependency
	for _, d := range c.Metadata.Dependencies {
		if d.Enabled = wanted(d, all, path); d.Enabled {
			kept = append(kept, d)
			continue
		}
		off[d.Name] = true
	}
	kept = slices.DeleteFunc(kept, func(d *v2.Dependency) bool { return off[d.Name] })
	left := slices.DeleteFunc(slices.Clone(c.Dependencies()), func(sub *v2.Chart) bool { return off[sub.Metadata.Name] })
	for _, sub := range left {
		if err := enable(sub, all, path+sub.Metadata.Name+"."); err != nil {
			return err
		}
	}
	if len(kept) == 0 {
		kept = nil
	}
	c.Metadata.Dependencies = kept
	c.SetDependencies(left...)
	return nil
}

// named returns the charts inside c: those that Chart.yaml does not speak of,
// then those that it does, each as often as it does and under the alias.
func named(c *v2.Chart) []*v2.Chart {
	var out []*v2.Chart
	for _, sub := range c.Dependencies() {
		if !slices.ContainsFunc(c.Metadata.Dependencies, func(d *v2.Dependency) bool {
			return d.Name == sub.Name() && compatible(d.Version, sub.Metadata.Version)
		}) {
			out = append(out, sub)
		}
	}
	for _, d := range c.Metadata.Dependencies {
		i := slices.IndexFunc(c.Dependencies(), func(sub *v2.Chart) bool { return sub.Name() == d.Name && compatible(d.Version, sub.Metadata.Version) })
		if i >= 0 {
			sub := clone(c.Dependencies()[i])
			if d.Alias != "" {
				sub.Metadata.Name = d.Alias
			}
			out = append(out, sub)
		}
		if d.Alias != "" {
			d.Name = d.Alias
		}
	}
	return out
}

// compatible reports whether a version is in a range.
func compatible(constraint, version string) bool {
	v, err := semver.NewVersion(version)
	if err != nil {
		return false
	}
	fits, err := semver.NewConstraint(constraint)
	return err == nil && fits.Check(v)
}

// wanted decides by the first condition that has a truth value, or else by the
// tags: off when some of them are, and none is on.
func wanted(d *v2.Dependency, values map[string]any, path string) bool {
	for _, condition := range strings.Split(strings.TrimSpace(d.Condition), ",") {
		if condition == "" {
			continue
		}
		if on, ok := lookup(values, path+condition).(bool); ok {
			return on
		}
	}
	tags, _ := values["tags"].(map[string]any)
	on, off := false, false
	for _, t := range d.Tags {
		if b, ok := tags[t].(bool); ok {
			on, off = on || b, off || !b
		}
	}
	return on || !off
}

// lookup returns what is at a path with dots, nil when there is nothing.
func lookup(values map[string]any, path string) any {
	var at any = values
	for _, name := range strings.Split(path, ".") {
		m, ok := at.(map[string]any)
		if !ok {
			return nil
		}
		at = m[name]
	}
	return at
}

// importValues makes values of the charts that c depends on its own, below those
// that it has.
func importValues(c *v2.Chart) error {
	for _, sub := range c.Dependencies() {
		if err := importValues(sub); err != nil {
			return err
		}
	}
	if c.Metadata.Dependencies == nil {
		return nil
	}
	all := map[string]any{}
	if err := coalesce(c, all, true); err != nil {
		return err
	}
	imported := map[string]any{}
	for _, d := range c.Metadata.Dependencies {
		for _, spec := range d.ImportValues {
			child, parent := "", "."
			switch spec := spec.(type) {
			case string:
				child = "exports." + spec
			case map[string]any:
				child, _ = spec["child"].(string)
				parent, _ = spec["parent"].(string)
			}
			if table, ok := lookup(all, d.Name+"."+child).(map[string]any); ok {
				overlay(imported, under(parent, copied(table)), true) // a copy: two imports of one object must not become a circle
			}
		}
	}
	c.Values = all
	overlay(c.Values, imported, true)
	return nil
}

// under puts an object at a path with dots; "." is the top.
func under(path string, object map[string]any) map[string]any {
	if path == "." {
		return object
	}
	for _, name := range slices.Backward(strings.Split(path, ".")) {
		object = map[string]any{name: object}
	}
	return object
}
