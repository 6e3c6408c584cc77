package impact_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/seed-c5f95f19/vela/pkg/definition"
	"github.com/seed-c5f95f19/vela/pkg/test/golden"
	"github.com/seed-c5f95f19/vela/references/cli/connect"
	"github.com/seed-c5f95f19/vela/references/cli/console"
	"github.com/seed-c5f95f19/vela/references/cli/impact"
	"github.com/seed-c5f95f19/vela/references/cli/preview"
	"github.com/seed-c5f95f19/vela/references/cli/source"
)

// report renders the Applications in apps with what lies in now, and with the
// definition in file.
func report(t *testing.T, apps, now, file, text string) *impact.Report {
	t.Helper()
	docs, err := source.Parse("apps.yaml", []byte(apps))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if now != "" {
		if err := os.WriteFile(filepath.Join(dir, "now.cue"), []byte(now), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var installed []string
	if now != "" {
		installed = []string{filepath.Join(dir, "now.cue")}
	}
	f := connect.New(console.Plain(strings.NewReader(""), os.Stdout, os.Stderr, time.Time{}), func(string) string { return "" }, dir)
	p, err := preview.New(preview.Options{Factory: f, Documents: docs, DefinitionDirs: installed, Offline: true})
	if err != nil {
		t.Fatal(err)
	}
	changed, err := source.Read(t.Context(), nil, filepath.Join(dir, file))
	if err != nil {
		t.Fatal(err)
	}
	definitions, err := impact.Definitions(changed, definition.SystemNamespace)
	if err != nil {
		t.Fatal(err)
	}
	r, err := impact.Of(t.Context(), impact.Options{Preview: p, Apps: p.Apps, Changed: definitions[0]})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestReports(t *testing.T) {
	golden.Run(t, "testdata/*.txtar", func(t *testing.T, in golden.Files) golden.Files {
		r := report(t, in["apps.yaml"], in["now.cue"], "new.cue", in["new.cue"])
		var text, data bytes.Buffer
		for out, format := range map[*bytes.Buffer]string{&text: "", &data: "yaml"} {
			if err := r.Write(console.Plain(nil, out, out, time.Time{}), format); err != nil {
				t.Fatal(err)
			}
		}
		return golden.Files{"want/report": text.String(), "want/report.yaml": data.String()}
	})
}

// A thousand Applications are told in less than ten seconds.
func TestThousandApplications(t *testing.T) {
	var apps strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&apps, `---
apiVersion: core.oam.dev/v1beta1
kind: Application
metadata: {name: shop-%d, namespace: team-%d}
spec:
  components:
  - name: web-%d
    type: webservice
    properties: {image: "nginx:%d", ports: [{port: 80, expose: true}]}
    traits:
    - {type: scaler, properties: {replicas: %d}}
`, i, i%20, i, i, i%5+1)
	}
	builtin, err := os.ReadFile("../../../pkg/definition/builtin/component/webservice/webservice.cue")
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.Replace(string(builtin), "template: {", "template: {\n\toutput: spec: revisionHistoryLimit: 3\n", 1)
	began := cpu(t) // the machine may be busy with other tests
	r := report(t, apps.String(), "", "new.cue", changed)
	took := cpu(t) - began
	if r.Changed != 1000 || len(r.Groups) != 1 {
		t.Errorf("%d of %d change in %d groups, want 1000 in one", r.Changed, r.Applications, len(r.Groups))
	}
	if took > 10*time.Second {
		t.Errorf("it took %s of CPU time", took)
	}
	t.Logf("1,000 Applications in %s of CPU time", took)
}

// cpu is the CPU time that the test has used.
func cpu(t *testing.T) time.Duration {
	t.Helper()
	var use syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &use); err != nil {
		t.Fatal(err)
	}
	return time.Duration(use.Utime.Nano() + use.Stime.Nano())
}
