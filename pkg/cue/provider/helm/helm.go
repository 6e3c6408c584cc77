// Package helm is the provider package "vela/helm": templates render Helm
// charts into objects.
//
// Rendering has no effects. Nothing is installed, and no record of a release
// is kept beside the Application: its revision has the values, its inventory
// the objects. Package pkg/helm fetches and renders; this package reads values
// and credentials, as the run may read, and gives the answer the shape that
// templates expect.
package helm

import (
	"cmp"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider/kube"
	"github.com/seed-c5f95f19/vela/pkg/fault"
	"github.com/seed-c5f95f19/vela/pkg/helm"
)

//go:embed helm.cue
var text string

// Schema is the text that templates import.
func Schema() provider.Schema { return provider.Schema{Path: "vela/helm", Text: text} }

// Options are what the package needs.
type Options struct {
	Charts *helm.Store // nil: nothing is rendered
	// Reader reads values and credentials; nil: charts that need them fail.
	Reader    kube.Reader
	Namespace string // of the Application: only there anything is read
}

// New returns the package.
func New(o Options) provider.Package {
	p := provider.Package{Name: "helm", Schema: text, Read: provider.Actions{}}
	if o.Charts != nil {
		p.Read["render"] = provider.Func(o.render)
	}
	return p
}

type params struct {
	Chart      chart         `json:"chart"`
	Release    release       `json:"release"`
	Values     object        `json:"values"`
	ValuesFrom []valuesFrom  `json:"valuesFrom"`
	Context    renderContext `json:"context"`
	Options    renderOptions `json:"options"`
}

type chart struct {
	Source  string `json:"source"`
	RepoURL string `json:"repoURL"`
	Version string `json:"version"`
	Auth    struct {
		SecretRef *secretRef `json:"secretRef"`
	} `json:"auth"`
}

type secretRef struct {
	Name      string `json:"name"`
	Namespace string `json:"namespace"`
}

type release struct {
	Name      string `json:"name"`
	Namespace string `json:"namespace"`
}

type renderContext struct {
	AppName      string `json:"appName"`
	AppNamespace string `json:"appNamespace"`
	Name         string `json:"name"`
	Namespace    string `json:"namespace"`
	KubeVersion  string `json:"kubeVersion"`
}

// renderOptions are those that mean something without an installation. The
// others (atomic, wait, force, maxHistory, …) are accepted and do nothing: what
// they ask for is what a delivery does anyway, or has no sense in it.
type renderOptions struct {
	IncludeCRDs     *bool          `json:"includeCRDs"`
	SkipTests       *bool          `json:"skipTests"`
	SkipHooks       bool           `json:"skipHooks"`
	CreateNamespace bool           `json:"createNamespace"`
	Timeout         string         `json:"timeout"`
	APIVersions     []string       `json:"apiVersions"`
	PostRender      map[string]any `json:"postRender"`
	Cache           struct {
		TTL          string `json:"ttl"`
		ImmutableTTL string `json:"immutableTTL"`
		MutableTTL   string `json:"mutableTTL"`
	} `json:"cache"`
}

// An object keeps whole numbers whole.
type object map[string]any

// UnmarshalJSON implements json.Unmarshaler.
func (o *object) UnmarshalJSON(b []byte) error {
	v, err := provider.Unmarshal(b)
	m, ok := v.(map[string]any)
	if err == nil && !ok && v != nil {
		err = fmt.Errorf("expected an object, got %T", v)
	}
	*o = m
	return err
}

type rendered struct {
	Resources []map[string]any `json:"resources"`
	Notes     string           `json:"notes,omitempty"`
}

func (o Options) render(ctx context.Context, in params) (rendered, error) {
	if len(in.Options.PostRender) > 0 {
		return rendered{}, invalid("options.postRender is not supported: nothing else is run on what a chart gives; change it by traits such as json-patch")
	}
	req, err := in.request()
	if err != nil {
		return rendered{}, err
	}
	if req.Namespace != o.Namespace {
		req.Realm = o.Namespace
	}
	src, err := o.source(ctx, in)
	if err != nil {
		return rendered{}, err
	}
	if req.Values, err = o.values(ctx, in); err != nil {
		return rendered{}, err
	}
	c, err := o.Charts.Chart(ctx, src)
	if err != nil {
		return rendered{}, terminal(err)
	}
	out, err := o.Charts.Render(ctx, c, req)
	if err != nil {
		return rendered{}, terminal(err)
	}
	if err := fits(out); err != nil {
		return rendered{}, err
	}
	objects := []map[string]any{audit(c, req, in.Chart, out.Left)}
	if in.Options.CreateNamespace && req.Namespace != in.Context.Namespace {
		objects = append(objects, map[string]any{"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": req.Namespace}})
	}
	for _, r := range out.Objects {
		objects = append(objects, placed(r, req.Namespace, in.Context.Namespace))
	}
	return rendered{Resources: objects, Notes: out.Notes}, nil
}

// maxFields is how many fields a template can be given, with room for what it
// has beside them.
const maxFields = 95_000

// fits says when a chart gives more than a template can take.
func fits(out helm.Result) error {
	total, kinds := 0, 0
	for _, o := range out.Objects {
		n := fields(o)
		if total += n; o["kind"] == "CustomResourceDefinition" {
			kinds += n
		}
	}
	if total <= maxFields {
		return nil
	}
	why := ""
	if total-kinds <= maxFields {
		why = fmt.Sprintf(", %d of them in definitions of kinds: set options.includeCRDs to false and deliver those by a component of their own", kinds)
	}
	return invalid("the chart gives objects with %d fields, and %d is the most%s", total, maxFields, why)
}

// fields counts fields, elements and texts, as the engine does.
func fields(v any) int {
	n := 0
	switch v := v.(type) {
	case string:
		return 1
	case map[string]any:
		for _, e := range v {
			n += 1 + fields(e)
		}
	case []any:
		for _, e := range v {
			n += 1 + fields(e)
		}
	}
	return n
}

// terminal marks what only an edit can change. A repository that does not
// answer may do so later.
func terminal(err error) error {
	if errors.Is(err, helm.ErrNotAllowed) || errors.Is(err, helm.ErrTime) {
		return fault.Invalid(v1beta1.ReasonInvalidProperties, err)
	}
	return err
}

func invalid(format string, args ...any) error {
	return fault.Invalid(v1beta1.ReasonInvalidProperties, fmt.Errorf(format, args...))
}

// releaseName is what Helm takes: it becomes part of other names.
var releaseName = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,51}[a-z0-9])?$`)

func (in params) request() (helm.Request, error) {
	req := helm.Request{
		Release: cmp.Or(in.Release.Name, in.Context.Name), Namespace: cmp.Or(in.Release.Namespace, in.Context.Namespace),
		KubeVersion: in.Context.KubeVersion, APIVersions: slices.Sorted(slices.Values(in.Options.APIVersions)),
		SkipCRDs:  in.Options.IncludeCRDs != nil && !*in.Options.IncludeCRDs,
		SkipHooks: in.Options.SkipHooks, KeepTests: in.Options.SkipTests != nil && !*in.Options.SkipTests,
	}
	if !releaseName.MatchString(req.Release) {
		return req, invalid("release.name %q: expected at most 53 lower case letters, digits and '-'", req.Release)
	}
	var err error
	req.Timeout, err = duration("options.timeout", in.Options.Timeout)
	return req, err
}

// keep reads how long a chart is believed. 0 asks each time.
func (in params) keep() (helm.Keep, error) {
	c := in.Options.Cache
	var keep helm.Keep
	for _, f := range []struct {
		name, text string
		into       []*time.Duration
	}{
		{"ttl", c.TTL, []*time.Duration{&keep.Immutable, &keep.Mutable}},
		{"immutableTTL", c.ImmutableTTL, []*time.Duration{&keep.Immutable}},
		{"mutableTTL", c.MutableTTL, []*time.Duration{&keep.Mutable}},
	} {
		if f.text == "" || (f.name != "ttl" && c.TTL != "") {
			continue
		}
		d, err := duration("options.cache."+f.name, f.text)
		if err != nil {
			return keep, err
		}
		if d == 0 {
			d = -1
		}
		for _, into := range f.into {
			*into = d
		}
	}
	return keep, nil
}

func duration(what, text string) (time.Duration, error) {
	if text == "" || text == "0" {
		return 0, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		return 0, invalid("%s %q: expected a duration such as 5m or 24h", what, text)
	}
	return d, nil
}

// placed returns an object in the namespace of the release. Objects without a
// namespace go where the component goes, so only another one has to be said.
func placed(o map[string]any, release, component string) map[string]any {
	meta, _ := o["metadata"].(map[string]any)
	if release == component || meta["namespace"] != nil {
		return o
	}
	o, meta = maps.Clone(o), maps.Clone(meta)
	meta["namespace"] = release
	o["metadata"] = meta
	return o
}

// audit is the workload of the component: it tells what was rendered. It holds
// no values: those may be secret.
func audit(c *helm.Chart, req helm.Request, from chart, left []string) map[string]any {
	data := map[string]any{
		"release": req.Release, "namespace": req.Namespace, "chart": c.Name, "version": c.Version, "digest": c.Digest,
		"source": plain(from.Source),
	}
	for k, v := range map[string]string{"appVersion": c.AppVersion, "repoURL": plain(from.RepoURL), "leftOut": strings.Join(left, "\n")} {
		if v != "" {
			data[k] = v
		}
	}
	return map[string]any{
		"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": req.Release + "-helm-release"}, "data": data,
	}
}

// plain is a URL without user and query, which may be secret.
func plain(url string) string {
	url, _, _ = strings.Cut(url, "?")
	if scheme, rest, ok := strings.Cut(url, "://"); ok {
		host, path, slash := strings.Cut(rest, "/")
		host = host[strings.LastIndex(host, "@")+1:]
		url = scheme + "://" + host
		if slash {
			url += "/" + path
		}
	}
	return url
}
