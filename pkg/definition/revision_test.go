package definition_test

import (
	"context"
	"errors"
	"testing"

	"github.com/seed-c5f95f19/vela/pkg/definition"
)

// An Application that follows new versions does not stop at a revision that
// happens to have the name of the prefix.
func TestNewest(t *testing.T) {
	store := definition.Cluster(clusterWith(t,
		revision("vela-system", "scaler-v1", "scaler", "counted: true"),
		revision("vela-system", "scaler-v1.0.0", "scaler", "zero: true"),
		revision("vela-system", "scaler-v1.10.0", "scaler", "ten: true"),
		revision("vela-system", "scaler-v1.9.0", "scaler", "nine: true"),
		revision("vela-system", "labels-v7", "labels", "seven: true"),
	))
	builtin, err := definition.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	chain := definition.Chain(store, builtin)
	cases := map[string]struct{ typ, get, newest string }{
		"a prefix":              {"scaler@v1", "counted: true", "ten: true"},
		"a longer prefix":       {"scaler@1.9", "nine: true", "nine: true"},
		"a whole version":       {"scaler@1.0.0", "zero: true", "zero: true"},
		"a counted revision":    {"labels@v7", "seven: true", "seven: true"},
		"one that is not there": {"labels@v8", "", ""},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			for _, ask := range []struct {
				want string
				get  func(context.Context, string, definition.Ref) (definition.Definition, error)
			}{{tc.get, chain.Get}, {tc.newest, chain.Newest}} {
				d, err := ask.get(t.Context(), "team", definition.Ref{Kind: definition.Trait, Name: tc.typ})
				if d.Template != ask.want || (err == nil) != (ask.want != "") {
					t.Errorf("%s is %q, %v; want %q", tc.typ, d.Template, err, ask.want)
				}
			}
		})
	}
}

func TestStaticVersions(t *testing.T) {
	versioned := trait("", "scaler", "x: 1")
	versioned.Spec.Version = "1.2.3"
	s, err := definition.Of(versioned)
	if err != nil {
		t.Fatal(err)
	}
	cases := map[string]struct {
		typ, revision string
		missing       bool
	}{
		"no version":           {typ: "scaler"},
		"the version":          {typ: "scaler@v1.2.3", revision: "scaler-v1.2.3"},
		"the beginning of it":  {typ: "scaler@1.2", revision: "scaler-v1.2.3"},
		"its major number":     {typ: "scaler@v1", revision: "scaler-v1.2.3"},
		"another minor number": {typ: "scaler@v1.3", missing: true},
		"another version":      {typ: "scaler@2", missing: true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			d, err := s.Get(t.Context(), "team", definition.Ref{Kind: definition.Trait, Name: tc.typ})
			if errors.Is(err, definition.ErrNotFound) != tc.missing || d.Revision != tc.revision {
				t.Errorf("Get(%s) = revision %q, %v", tc.typ, d.Revision, err)
			}
		})
	}
}
