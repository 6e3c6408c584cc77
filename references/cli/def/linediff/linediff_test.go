package linediff_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seed-c5f95f19/vela/references/cli/def/linediff"
)

func TestUnified(t *testing.T) {
	cases := map[string]struct{ before, after, want string }{
		"equal texts have no difference":        {"a\nb\n", "a\nb\n", ""},
		"a changed line is one out and one in":  {"a\nb\nc\n", "a\nx\nc\n", " a\n-b\n+x\n c\n"},
		"a text that is new is all in":          {"", "a\n", "-\n+a\n"},
		"lines far from a change are left out":  {"1\n2\n3\n4\n5\n6\n", "1\n2\n3\n4\n5\nx\n", "@@ line 3 @@\n 3\n 4\n 5\n-6\n+x\n"},
		"changes near each other stay together": {"1\n2\n3\n4\n5\n", "x\n2\n3\n4\ny\n", "-1\n+x\n 2\n 3\n 4\n-5\n+y\n"},
		"changes far apart are two pieces": {
			"a\n1\n2\n3\n4\n5\n6\n7\n8\nb\n", "x\n1\n2\n3\n4\n5\n6\n7\n8\ny\n",
			"-a\n+x\n 1\n 2\n 3\n@@ line 7 @@\n 6\n 7\n 8\n-b\n+y\n",
		},
		"what moved is found again": {"a\nb\nc\n", "b\nc\na\n", "-a\n b\n c\n+a\n"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, linediff.Unified(tc.before, tc.after)); diff != "" {
				t.Errorf("Unified(...) mismatch (-want +got):\n%s", diff)
			}
		})
	}
}
