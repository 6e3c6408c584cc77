package impact

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"

	"github.com/seed-c5f95f19/vela/pkg/delivery/manifest"
	"github.com/seed-c5f95f19/vela/references/cli/planview"
	"github.com/seed-c5f95f19/vela/references/cli/preview"
)

// differences compares two renderings of app. Differences that are equal once
// names are taken out, as those of the copies of an object in several clusters,
// are one.
func differences(app preview.App, before, after []manifest.Manifest) []Difference {
	var out []Difference
	seen := map[string]bool{}
	for _, c := range planview.Between("", before, after).Clusters {
		for _, o := range c.Objects {
			d := different(app, o)
			if key := d.key(); !seen[key] {
				seen[key] = true
				out = append(out, d)
			}
		}
	}
	return out
}

func different(app preview.App, o planview.Object) Difference {
	say := anonymous(app.Name, app.Namespace, o.Component)
	d := Difference{Action: o.Action, Group: o.Group, Kind: o.Kind, Name: say(o.Name), Trait: o.Trait}
	for _, c := range o.Changes {
		d.Changes = append(d.Changes, planview.Change{Path: say(c.Path), From: values(c.From, say), To: values(c.To, say)})
	}
	if o.Object != nil {
		d.Object = values(o.Object, say).(map[string]any)
	}
	return d
}

// key is the same for equal differences.
func (d Difference) key() string {
	data, err := json.Marshal(d)
	if err != nil {
		return d.Kind + d.Name
	}
	return string(data)
}

// shape is the same for differences that change the same fields.
func (d Difference) shape() string {
	parts := []string{d.Action, d.Group, d.Kind, d.Name, d.Trait}
	for _, c := range d.Changes {
		parts = append(parts, c.Path)
	}
	return strings.Join(parts, "\x00")
}

// anonymous returns what writes the names of an Application as placeholders,
// where they stand as words of their own.
func anonymous(application, namespace, component string) func(string) string {
	words := []struct{ name, placeholder string }{
		{component, "<component>"}, {application, "<application>"}, {namespace, "<namespace>"},
	}
	slices.SortStableFunc(words, func(a, b struct{ name, placeholder string }) int { return len(b.name) - len(a.name) })
	var patterns []*regexp.Regexp
	var placeholders []string
	for _, w := range words {
		if w.name != "" {
			patterns = append(patterns, regexp.MustCompile(`\b`+regexp.QuoteMeta(w.name)+`\b`))
			placeholders = append(placeholders, w.placeholder)
		}
	}
	return func(text string) string {
		for i, p := range patterns {
			text = p.ReplaceAllString(text, placeholders[i])
		}
		return text
	}
}

// values applies say to every text in v, names of fields too.
func values(v any, say func(string) string) any {
	switch v := v.(type) {
	case string:
		return say(v)
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			out[i] = values(item, say)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, item := range v {
			out[say(key)] = values(item, say)
		}
		return out
	}
	return v
}
