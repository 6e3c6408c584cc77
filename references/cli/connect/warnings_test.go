package connect_test

import (
	"bytes"
	"testing"

	"github.com/seed-c5f95f19/vela/references/cli/connect"
	"github.com/seed-c5f95f19/vela/references/cli/console"
)

func TestWarningsAreSaidOnce(t *testing.T) {
	var out bytes.Buffer
	f := connect.New(console.IO{Err: &out}, func(string) string { return "" }, "")
	f.Warn(`app.yaml:8:34: spec.x: no such property`)
	for _, text := range []string{"spec.x: no such property", "spec.y: other", "spec.y: other", ""} {
		f.HandleWarningHeaderWithContext(t.Context(), 299, "", text)
	}
	f.HandleWarningHeaderWithContext(t.Context(), 199, "", "not ours")
	want := "Warning: app.yaml:8:34: spec.x: no such property\nWarning: spec.y: other\n"
	if out.String() != want {
		t.Errorf("printed %q, want %q", out.String(), want)
	}
}
