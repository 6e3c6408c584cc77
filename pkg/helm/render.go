// Package helm fetches Helm charts and renders them. It neither installs nor
// records anything: a chart with values becomes objects, which are delivered
// like all others.
//
// It uses Helm's own library for charts, values and templates, and not for
// what touches a cluster or the machine: no plugins, no kubeconfig, no
// credentials of the environment, no release storage. `lookup` finds nothing,
// names are not resolved, and what templates make up (passwords, keys,
// certificates) is derived from a seed, so that the same input gives the same
// bytes. The provider package vela/helm is the door to it.
package helm

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	ci "helm.sh/helm/v4/pkg/chart"
	"helm.sh/helm/v4/pkg/chart/common"
	v2 "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/engine"
)

// A Request says how a chart is rendered.
type Request struct {
	Release     string
	Namespace   string
	Values      map[string]any // on top of those of the chart
	KubeVersion string         // of the cluster, such as v1.33.1; "" takes what Helm was built for
	APIVersions []string       // that the cluster has beside Kubernetes' own, such as monitoring.coreos.com/v1
	SkipCRDs    bool
	SkipHooks   bool
	KeepTests   bool
	Timeout     time.Duration // of the templates; 0 and more than 30s mean 30s
	// Seed is what passwords and keys are derived from. It is secret where the
	// result is used; nil is public.
	Seed Seed `json:"-"`
	// Realm is who renders, when that is not whose namespace it is: a release may
	// say that it is for any namespace, and must not be given what the one that is
	// there makes up.
	Realm string
}

// A Seed gives what random values are derived from. It is asked only when a
// template makes one.
type Seed func(ctx context.Context) ([]byte, error)

// A Result is a rendered chart. It is shared: nobody may modify it.
type Result struct {
	Objects []map[string]any // in the order in which Helm installs
	Notes   string
	Left    []string // what is part of the chart and not of Objects, with the reason
}

// maxTime bounds the rendering of one chart.
const maxTime = 30 * time.Second

// ErrTime says that a chart did not render in time. Rendering it again would
// not either.
var ErrTime = errors.New("the templates do not come to an end")

// Render renders c.
//
// Templates cannot be stopped from outside, so those that take too long are
// left alone, and their chart is refused from then on.
func (c *Chart) Render(ctx context.Context, req Request) (Result, error) {
	if c.stuck.Load() {
		return Result{}, fmt.Errorf("chart %s %s: %w", c.Name, c.Version, ErrTime)
	}
	limit := req.Timeout
	if limit <= 0 || limit > maxTime {
		limit = maxTime
	}
	type outcome struct {
		result Result
		err    error
	}
	done := make(chan outcome, 1)
	go func() {
		r, err := c.render(ctx, req)
		done <- outcome{r, err}
	}()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case o := <-done:
		if o.err != nil {
			return Result{}, fmt.Errorf("chart %s %s: %w", c.Name, c.Version, o.err)
		}
		return o.result, nil
	case <-ctx.Done():
		return Result{}, context.Cause(ctx)
	case <-timer.C:
		c.stuck.Store(limit == maxTime)
		return Result{}, fmt.Errorf("chart %s %s: %w within %s", c.Name, c.Version, ErrTime, limit)
	}
}

func (c *Chart) render(ctx context.Context, req Request) (Result, error) {
	chart, values := clone(c.chart), copied(req.Values)
	if err := settle(chart, values); err != nil {
		return Result{}, fmt.Errorf("dependencies: %w", err)
	}
	caps, err := capabilities(req)
	if err != nil {
		return Result{}, err
	}
	if v := chart.Metadata.KubeVersion; v != "" && !compatible(v, caps.KubeVersion.String()) {
		return Result{}, fmt.Errorf("it needs Kubernetes %s, and the cluster has %s", v, caps.KubeVersion.String())
	}
	if err := coalesce(chart, values, false); err != nil {
		return Result{}, fmt.Errorf("values: %w", err)
	}
	if err := validate(chart, values); err != nil {
		return Result{}, fmt.Errorf("values: %w", err)
	}
	about, err := ci.NewAccessor(chart)
	if err != nil {
		return Result{}, err
	}
	full := common.Values{
		"Chart": about.MetadataAsMap(), "Capabilities": caps, "Values": common.Values(values),
		"Release": map[string]any{
			"Name": req.Release, "Namespace": req.Namespace, "IsUpgrade": false, "IsInstall": true, "Revision": 1, "Service": "Helm",
		},
	}
	made := newRandom(ctx, req)
	files, err := engine.Engine{CustomTemplateFuncs: made.funcs()}.RenderWithContext(ctx, chart, full)
	if err != nil {
		return Result{}, plain(err)
	}
	return collect(chart, files, req)
}

// plain puts an error of templates, which Helm writes on several lines, on one.
func plain(err error) error {
	lines := strings.FieldsFunc(err.Error(), func(r rune) bool { return r == '\n' })
	for i, l := range lines {
		lines[i] = strings.TrimSpace(l)
	}
	return errors.New(strings.Join(lines, ": "))
}

func capabilities(req Request) (*common.Capabilities, error) {
	caps := common.DefaultCapabilities.Copy()
	if req.KubeVersion != "" {
		v, err := common.ParseKubeVersion(req.KubeVersion)
		if err != nil {
			return nil, fmt.Errorf("version of the cluster %q: %w", req.KubeVersion, err)
		}
		caps.KubeVersion = *v
	}
	caps.APIVersions = append(caps.APIVersions[:len(caps.APIVersions):len(caps.APIVersions)], req.APIVersions...)
	return caps, nil
}

// clone returns a chart whose values and dependencies can be changed.
func clone(c *v2.Chart) *v2.Chart {
	out := &v2.Chart{
		Raw: c.Raw, Lock: c.Lock, Templates: c.Templates, Values: copied(c.Values), Schema: c.Schema,
		SchemaModTime: c.SchemaModTime, Files: c.Files, ModTime: c.ModTime,
	}
	meta := *c.Metadata
	meta.Dependencies = nil
	for _, d := range c.Metadata.Dependencies {
		one := *d
		meta.Dependencies = append(meta.Dependencies, &one)
	}
	out.Metadata = &meta
	for _, d := range c.Dependencies() {
		out.AddDependency(clone(d))
	}
	return out
}

// copied returns a deep copy of JSON-like values.
func copied(in map[string]any) map[string]any {
	out := make(map[string]any, len(in))
	for k, v := range in {
		out[k] = copiedValue(v)
	}
	return out
}

func copiedValue(v any) any {
	switch v := v.(type) {
	case map[string]any:
		return copied(v)
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = copiedValue(e)
		}
		return out
	}
	return v
}

// Merge returns base with over on top: objects are merged, everything else is
// replaced, and null removes. Neither is modified.
func Merge(base, over map[string]any) map[string]any {
	out := copied(base)
	for k, v := range over {
		below, ok := out[k].(map[string]any)
		object, isObject := v.(map[string]any)
		if ok && isObject {
			out[k] = Merge(below, object)
			continue
		}
		out[k] = copiedValue(v)
	}
	return out
}
