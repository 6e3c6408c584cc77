package progress

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/references/cli/console"
)

// policies lists what policies did: those that changed the Application first, in
// the order in which they ran, then those that gave objects.
func (v View) policies(app *v1beta1.Application) *console.Table {
	t := &console.Table{Indent: "  "}
	for _, p := range app.Status.AppliedApplicationPolicies {
		mark, word := v.Style.Good("✔"), "applied"
		switch {
		case p.Error:
			mark, word = v.Style.Bad("✘"), "failed"
		case !p.Applied:
			mark, word = v.Style.Dim("-"), "off"
		}
		t.Add(mark+" "+p.Name, p.Type, p.Source, word, did(p))
	}
	for _, p := range app.Status.PolicyStatus {
		var s struct {
			Healthy *bool  `json:"healthy"`
			Message string `json:"message"`
		}
		if p.Status == nil || json.Unmarshal(p.Status.Raw, &s) != nil || s.Healthy == nil {
			continue // where the environments of env-binding lead
		}
		t.Add(v.health(*s.Healthy, false)+" "+p.Name, p.Type, "", word(*s.Healthy), s.Message)
	}
	return t
}

// did is what a policy changed.
func did(p v1beta1.AppliedApplicationPolicy) string {
	if p.Message != "" {
		return p.Message
	}
	var parts []string
	if p.LabelsCount > 0 {
		parts = append(parts, count(p.LabelsCount, "label"))
	}
	if p.AnnotationsCount > 0 {
		parts = append(parts, count(p.AnnotationsCount, "annotation"))
	}
	if p.SpecModified {
		parts = append(parts, "specification")
	}
	if p.HasContext {
		parts = append(parts, "context")
	}
	return strings.Join(parts, ", ")
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
