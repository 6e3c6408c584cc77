package provider_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seed-c5f95f19/vela/pkg/cue/provider"
)

type scaleIn struct {
	Name     string `json:"name"`
	Replicas int    `json:"replicas"`
}

type scaleOut struct {
	Total int     `json:"total"`
	Ratio float64 `json:"ratio,omitempty"`
}

func TestFunc(t *testing.T) {
	scale := provider.Func(func(_ context.Context, in scaleIn) (scaleOut, error) {
		switch in.Name {
		case "wait":
			return scaleOut{Total: 1}, provider.Wait{Message: "starting"}
		case "bad":
			return scaleOut{}, errors.New("refused")
		}
		return scaleOut{Total: in.Replicas * 2, Ratio: 0.5}, nil
	})
	cases := map[string]struct {
		params  any
		want    any
		wantErr string
	}{
		"fields go through JSON and whole numbers stay whole": {
			params: map[string]any{"name": "x", "replicas": int64(2), "more": true},
			want:   map[string]any{"total": int64(4), "ratio": 0.5},
		},
		"no parameters are the zero value": {
			want: map[string]any{"total": int64(0), "ratio": 0.5},
		},
		"a field of the wrong type names the action": {
			params:  map[string]any{"replicas": "two"},
			wantErr: "parameters of app.scale: json: cannot unmarshal string into Go struct field scaleIn.replicas of type int",
		},
		"a signal comes with what is known so far": {
			params:  map[string]any{"name": "wait"},
			want:    map[string]any{"total": int64(1)},
			wantErr: "waiting: starting",
		},
		"an error is passed on": {
			params:  map[string]any{"name": "bad"},
			want:    map[string]any{"total": int64(0)},
			wantErr: "refused",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := scale(t.Context(), provider.Call{Provider: "app", Do: "scale", Params: tc.params})
			if fmt.Sprint(err) != tc.wantErr && (err != nil || tc.wantErr != "") {
				t.Errorf("error = %v, want %q", err, tc.wantErr)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("answer mismatch (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTable(t *testing.T) {
	named := func(name string) provider.Action {
		return func(context.Context, provider.Call) (any, error) { return name, nil }
	}
	table := provider.NewTable(
		provider.Package{Name: "kube", Read: provider.Actions{"read": named("read")}, Write: provider.Actions{"apply": named("apply")}},
		provider.Package{Name: "kube", Read: provider.Actions{"list": named("list"), "read": named("newer read")}},
	)
	cases := map[string]struct {
		table        provider.Table
		provider, do string
		want         string
		write, found bool
	}{
		"a read":                        {table, "kube", "list", "list", false, true},
		"a write":                       {table, "kube", "apply", "apply", true, true},
		"the later package replaces":    {table, "kube", "read", "newer read", false, true},
		"an unknown verb":               {table, "kube", "delete", "", true, false},
		"an unknown provider":           {table, "http", "do", "", false, false},
		"read only refuses writes":      {table.ReadOnly(), "kube", "apply", `the action "apply" of provider "kube" changes the world, which a rendering must not`, true, true},
		"read only has reads":           {table.ReadOnly(), "kube", "read", "newer read", false, true},
		"an empty table offers nothing": {nil, "kube", "read", "", false, false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			action, write, found := tc.table.Lookup(tc.provider, tc.do)
			if found != tc.found || (found && write != tc.write) {
				t.Fatalf("Lookup() = write %v, found %v, want %v, %v", write, found, tc.write, tc.found)
			}
			if !found {
				return
			}
			got, err := action(t.Context(), provider.Call{Provider: tc.provider, Do: tc.do})
			if err != nil {
				got = err.Error()
			}
			if got != tc.want {
				t.Errorf("the action is %v, want %s", got, tc.want)
			}
		})
	}
}

func TestSources(t *testing.T) {
	got := provider.Sources(
		provider.Package{Name: "kube", Schema: "#A: {}"},
		provider.Package{Name: "op", Path: "vela/ql", Schema: "#B: {}"},
		provider.Package{Name: "silent"},
	)
	want := []provider.Schema{{Path: "vela/kube", Text: "#A: {}"}, {Path: "vela/ql", Text: "#B: {}"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Sources() mismatch (-want +got):\n%s", diff)
	}
}

func TestSignals(t *testing.T) {
	until := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for want, signal := range map[string]error{
		"waiting":            provider.Wait{},
		"suspended: look":    provider.Suspend{Message: "look", Until: until},
		"failed: on purpose": provider.Fail{Message: "on purpose"},
		"stopped: enough":    provider.Break{Message: "enough"},
	} {
		if got := signal.Error(); got != want {
			t.Errorf("Error() = %q, want %q", got, want)
		}
	}
	var s provider.Suspend
	if !errors.As(fmt.Errorf("step: %w", provider.Suspend{Until: until}), &s) || !s.Until.Equal(until) {
		t.Errorf("errors.As() found %v", s)
	}
}

func TestUnmarshal(t *testing.T) {
	got, err := provider.Unmarshal([]byte(`{"i": 3, "big": 9007199254740993, "f": 1.5, "e": 1e3, "l": [1, null, "s", true]}`))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"i": int64(3), "big": int64(9007199254740993), "f": 1.5, "e": float64(1000), "l": []any{int64(1), nil, "s", true}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Unmarshal() mismatch (-want +got):\n%s", diff)
	}
	if _, err := provider.Unmarshal([]byte(`{`)); err == nil {
		t.Error("Unmarshal of half an object gives no error")
	}
}
