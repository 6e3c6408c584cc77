package version

import (
	"runtime/debug"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFrom(t *testing.T) {
	build := &debug.BuildInfo{GoVersion: "go1.26.0", Settings: []debug.BuildSetting{
		{Key: "vcs.revision", Value: "0123456789abcdef"},
		{Key: "vcs.modified", Value: "true"},
		{Key: "GOOS", Value: "linux"},
	}}
	want := Info{Version: Release, Commit: "0123456789abcdef", Modified: true, Go: "go1.26.0"}
	if diff := cmp.Diff(want, from(build)); diff != "" {
		t.Errorf("from(...) mismatch (-want +got):\n%s", diff)
	}
}

func TestString(t *testing.T) {
	cases := map[string]struct {
		info Info
		want string
	}{
		"without a commit":     {Info{Version: "1"}, "1"},
		"a commit is cut":      {Info{Version: "1", Commit: "0123456789abcdef"}, "1 (0123456789ab)"},
		"a changed work tree":  {Info{Version: "1", Commit: "0123", Modified: true}, "1 (0123, modified)"},
		"changed, no revision": {Info{Version: "1", Modified: true}, "1 (unknown, modified)"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := tc.info.String(); got != tc.want {
				t.Errorf("String() = %q, want %q", got, tc.want)
			}
		})
	}
}
