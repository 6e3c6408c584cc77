package up_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/seed-c5f95f19/vela/references/cli/connect"
	"github.com/seed-c5f95f19/vela/references/cli/up"
)

func TestOptions(t *testing.T) {
	byDefault := up.Options{Files: []string{"app.yaml"}, Wait: true, WaitFor: "suspended", Timeout: 5 * time.Minute}
	cases := map[string]struct {
		args []string
		want func(*up.Options)
		fail bool
	}{
		"a file is enough":          {args: []string{"-f", "app.yaml"}, want: func(*up.Options) {}},
		"several files":             {args: []string{"-f", "app.yaml", "-f", "b,c"}, want: func(o *up.Options) { o.Files = []string{"app.yaml", "b", "c"} }},
		"not waiting":               {args: []string{"-f", "app.yaml", "--wait=false"}, want: func(o *up.Options) { o.Wait = false }},
		"waiting through approvals": {args: []string{"-f", "app.yaml", "--wait-for", "healthy", "--timeout", "1h"}, want: func(o *up.Options) { o.WaitFor, o.Timeout = "healthy", time.Hour }},
		"publishing": {args: []string{"-f", "app.yaml", "--publish-version", "v2", "-n", "shop", "--strict"}, want: func(o *up.Options) {
			o.PublishVersion, o.Namespace, o.Strict = "v2", "shop", true
		}},
		"nothing to deliver":      {args: nil, fail: true},
		"a flag that is not one":  {args: []string{"-f", "app.yaml", "--wat"}, fail: true},
		"an argument is one more": {args: []string{"-f", "app.yaml", "more"}, fail: true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var got *up.Options
			cmd := up.NewCommand(&connect.Factory{}, func(_ context.Context, o *up.Options) error { got = o; return nil })
			cmd.SilenceErrors, cmd.SilenceUsage = true, true
			cmd.SetArgs(tc.args)
			err := cmd.Execute()
			if tc.fail {
				if err == nil {
					t.Fatalf("%v was accepted: %+v", tc.args, got)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			want := byDefault
			tc.want(&want)
			if diff := cmp.Diff(want, *got, cmpopts.IgnoreFields(up.Options{}, "Factory"), cmpopts.IgnoreUnexported(up.Options{})); diff != "" {
				t.Errorf("options mismatch (-want +got):\n%s", diff)
			}
		})
	}
}
