package helm

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	v2 "helm.sh/helm/v4/pkg/chart/v2"
	"k8s.io/apimachinery/pkg/util/json"
	"sigs.k8s.io/yaml"
)

// Bounds of what a chart may become.
const (
	maxRendered = 16 << 20 // bytes of all files
	maxObjects  = 5000
)

// hookAnnotation names the moments at which Helm runs an object.
const (
	hookAnnotation   = "helm.sh/hook"
	weightAnnotation = "helm.sh/hook-weight"
)

// A part is an object with where it stands in the order of an installation.
type part struct {
	file   string
	object map[string]any
	phase  int // before, with, after the others
	weight int // among the hooks of a phase
	rank   int // of the kind
}

// collect reads the objects out of rendered files.
func collect(chart *v2.Chart, files map[string]string, req Request) (Result, error) {
	var out Result
	var parts []part
	size := 0
	names := make([]string, 0, len(files))
	for name, text := range files {
		if size += len(text); size > maxRendered {
			return out, fmt.Errorf("it renders more than %d MiB", maxRendered>>20)
		}
		switch {
		case path.Base(name) != "NOTES.txt":
			names = append(names, name)
		case name == path.Join(chart.Name(), "templates", "NOTES.txt"):
			out.Notes = strings.TrimSpace(text)
		}
	}
	slices.Sort(names)
	if !req.SkipCRDs {
		crds := chart.CRDObjects()
		slices.SortFunc(crds, func(a, b v2.CRD) int { return cmp.Compare(a.Filename, b.Filename) })
		for _, crd := range crds {
			found, err := objects(crd.Filename, string(crd.File.Data))
			if err != nil {
				return out, err
			}
			for _, p := range found {
				p.phase = -2 // before every hook
				parts = append(parts, p)
			}
		}
	}
	for _, name := range names {
		found, err := objects(name, files[name])
		if err != nil {
			return out, err
		}
		for _, p := range found {
			if why := p.place(req); why != "" {
				out.Left = append(out.Left, fmt.Sprintf("%s of %s: %s", describe(p.object), name, why))
				continue
			}
			parts = append(parts, p)
		}
	}
	if len(parts) > maxObjects {
		return out, fmt.Errorf("it has more than %d objects", maxObjects)
	}
	slices.SortStableFunc(parts, func(a, b part) int {
		return cmp.Or(cmp.Compare(a.phase, b.phase), cmp.Compare(a.weight, b.weight), cmp.Compare(a.rank, b.rank),
			cmp.Compare(name(a.object), name(b.object)), cmp.Compare(a.file, b.file))
	})
	for _, p := range parts {
		out.Objects = append(out.Objects, p.object)
	}
	return out, nil
}

// place finds when an object is installed, or why it is not.
func (p *part) place(req Request) (why string) {
	hooks := metadata(p.object, "annotations", hookAnnotation)
	if hooks == "" {
		return ""
	}
	before, after, test := false, false, false
	for _, h := range strings.Split(hooks, ",") {
		switch strings.TrimSpace(h) {
		case "pre-install", "crd-install":
			before = true
		case "post-install":
			after = true
		case "test", "test-success", "test-failure":
			test = true
		}
	}
	p.weight, _ = strconv.Atoi(metadata(p.object, "annotations", weightAnnotation))
	switch {
	case req.SkipHooks && !test:
		return "hooks are left out"
	case before:
		p.phase = -1
	case after:
		p.phase = 1
	case test && req.KeepTests:
		p.phase = 2
	case test:
		return "it is a test"
	default: // it would run at the wrong time
		return fmt.Sprintf("a hook for %q has no moment in a delivery", hooks)
	}
	return ""
}

// objects reads the documents of a file.
func objects(file, text string) ([]part, error) {
	var out []part
	for _, doc := range documents(text) {
		raw, err := yaml.YAMLToJSON([]byte(doc)) // charts write keys twice; the last one counts, as in Helm
		if err != nil {
			return nil, fmt.Errorf("%s is not YAML: %w", file, err)
		}
		var v any
		if err := json.Unmarshal(raw, &v); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		if v == nil {
			continue
		}
		o, ok := v.(map[string]any)
		if !ok {
			return nil, fmt.Errorf("%s: expected an object, got %.60q", file, doc)
		}
		flat, err := flattened(file, o)
		if err != nil {
			return nil, err
		}
		out = append(out, flat...)
	}
	return out, nil
}

// flattened returns an object, or those of a List.
func flattened(file string, o map[string]any) ([]part, error) {
	kind, _ := o["kind"].(string)
	items, isList := o["items"].([]any)
	if isList && strings.HasSuffix(kind, "List") {
		var out []part
		for _, i := range items {
			if m, ok := i.(map[string]any); ok {
				more, err := flattened(file, m)
				if err != nil {
					return nil, err
				}
				out = append(out, more...)
			}
		}
		return out, nil
	}
	if kind == "" || o["apiVersion"] == nil {
		return nil, fmt.Errorf("%s: an object has no apiVersion or no kind", file)
	}
	if name(o) == "" {
		return nil, fmt.Errorf("%s: a %s has no metadata.name", file, kind)
	}
	withoutNulls(o)
	return []part{{file: file, object: o, rank: rank(kind)}}, nil
}

// documents splits a YAML stream.
func documents(text string) []string {
	var out []string
	var doc strings.Builder
	for line := range strings.Lines(text) {
		if l := strings.TrimRight(line, " \t\r\n"); l == "---" || strings.HasPrefix(l, "--- ") {
			out = append(out, doc.String())
			doc.Reset()
			if rest := strings.TrimPrefix(l, "---"); !strings.HasPrefix(strings.TrimSpace(rest), "#") {
				doc.WriteString(rest + "\n")
			}
			continue
		}
		doc.WriteString(line)
	}
	return append(out, doc.String())
}

// withoutNulls removes fields that are null: in a chart they mean that nothing
// is set.
func withoutNulls(v any) {
	switch v := v.(type) {
	case map[string]any:
		for k, e := range v {
			if e == nil {
				delete(v, k)
				continue
			}
			withoutNulls(e)
		}
	case []any:
		for _, e := range v {
			withoutNulls(e)
		}
	}
}

func name(o map[string]any) string {
	meta, _ := o["metadata"].(map[string]any)
	name, _ := meta["name"].(string)
	return name
}

func metadata(o map[string]any, field, key string) string {
	meta, _ := o["metadata"].(map[string]any)
	set, _ := meta[field].(map[string]any)
	value, _ := set[key].(string)
	return value
}

func describe(o map[string]any) string {
	kind, _ := o["kind"].(string)
	return fmt.Sprintf("%s %q", kind, name(o))
}

// rank is the place of a kind in the order in which Helm installs; what it does
// not know comes last.
func rank(kind string) int {
	order := []string{
		"PriorityClass", "Namespace", "NetworkPolicy", "ResourceQuota", "LimitRange", "PodDisruptionBudget", "ServiceAccount",
		"Secret", "ConfigMap", "StorageClass", "PersistentVolume", "PersistentVolumeClaim", "CustomResourceDefinition",
		"ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding", "Service", "DaemonSet", "Pod", "ReplicationController",
		"ReplicaSet", "Deployment", "HorizontalPodAutoscaler", "StatefulSet", "Job", "CronJob", "IngressClass", "Ingress",
		"APIService", "MutatingWebhookConfiguration", "ValidatingWebhookConfiguration",
	}
	if i := slices.Index(order, kind); i >= 0 {
		return i
	}
	return len(order)
}
