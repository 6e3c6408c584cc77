package definition_test

import (
	"strings"
	"testing"

	"github.com/seed-c5f95f19/vela/pkg/definition"
)

// Every line of every text has to be found where its author wrote it.
func TestPlacesFindEveryLine(t *testing.T) {
	file := `// what it is
import "strings"

import (
	"list"
)

thing: {
	type: "component"
	attributes: status: {
		healthPolicy: #"""
			ready: context.output.status.ready
			isHealth: ready
			"""#
		customStatus: "message: \"one line\""
	}
}

template: {

	// the output
	output: {
		a: strings.ToUpper("x")

		b: list.Sort([])
	}
	parameter: {}
}
`
	obj, err := definition.ParseCUE("thing.cue", file)
	if err != nil {
		t.Fatal(err)
	}
	d, err := definition.FromObject(obj)
	if err != nil {
		t.Fatal(err)
	}
	places, lines := definition.Places("thing.cue", file), strings.Split(file, "\n")
	for name, text := range map[string]string{
		definition.TemplateText: d.Template, definition.HealthPolicyText: d.HealthPolicy,
	} {
		for i, want := range strings.Split(strings.TrimRight(text, "\n"), "\n") {
			got := lines[places[name].Line(i+1)-1]
			if strings.TrimSpace(want) != strings.TrimSpace(got) && want != "" {
				t.Errorf("line %d of the %s is %q, found at %q", i+1, name, want, got)
			}
		}
	}
	if got := lines[places[definition.CustomStatusText].Line(1)-1]; !strings.Contains(got, "one line") {
		t.Errorf("the message is found at %q", got)
	}
}
