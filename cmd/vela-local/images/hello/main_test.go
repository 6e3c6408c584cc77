package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPage(t *testing.T) {
	cases := map[string]struct{ greeting, want string }{
		"the greeting of the environment comes first": {"Good morning", "Good morning\nname: hello\nversion: 1.0\nhost: pod-1\n"},
		"without one it is plain":                     {"", "Hello\nname: hello\nversion: 1.0\nhost: pod-1\n"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := page("pod-1", func(string) string { return tc.greeting })
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("page() mismatch (-want +got):\n%s", diff)
			}
		})
	}
}

func TestCommands(t *testing.T) {
	cases := map[string]struct {
		args []string
		want string
	}{
		"version ends well":          {args: []string{"version"}},
		"work ends well":             {args: []string{"work", "hard"}},
		"fail fails":                 {args: []string{"fail"}, want: "asked to fail"},
		"get wants a URL":            {args: []string{"get"}, want: "want one URL"},
		"an unknown word is refused": {args: []string{"dance"}, want: `unknown command "dance"`},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			msg := ""
			if err := run(tc.args); err != nil {
				msg = err.Error()
			}
			if msg != tc.want {
				t.Errorf("run(%q) error = %q, want %q", tc.args, msg, tc.want)
			}
		})
	}
}
