package progress

import (
	"fmt"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/references/cli/console"
)

// Lines is the state of app for a live display: steps, then components, then
// what is wrong.
func (v View) Lines(app *v1beta1.Application) []console.Line {
	p := Of(app)
	if !Fresh(app) && app.DeletionTimestamp == nil {
		return []console.Line{{Key: "why", Text: "waiting for the control plane"}}
	}
	lines := v.stepLines(p.Steps, "step ", "  ")
	for _, s := range p.Services {
		text := fmt.Sprintf("  %s component %s in %s %s", v.health(s.Healthy, false), s.Name, Place(s), word(s.Healthy))
		if explain := Explain(s); explain != "" {
			text += ": " + explain
		}
		lines = append(lines, console.Line{Key: "component/" + s.Name + "/" + Place(s), Text: text})
	}
	if p.Why != "" && p.State == Failed {
		lines = append(lines, console.Line{Key: "why", Text: "  " + v.state(p.State, p.Why)})
	}
	return lines
}

func (v View) stepLines(steps []Step, prefix, indent string) []console.Line {
	var lines []console.Line
	for _, s := range steps {
		if s.Phase != v1beta1.StepPending || v.Wide {
			text := fmt.Sprintf("%s%s %s%s (%s) %s", indent, v.mark(s.Phase), prefix, s.Name, s.Type, s.Phase)
			if s.Phase != v1beta1.StepSuspending && s.Message != "" {
				text += ": " + s.Message
			} else if s.Plan != nil && s.Plan.Summary != "" {
				text += ": " + s.Plan.Summary
			}
			lines = append(lines, console.Line{Key: prefix + s.Name, Text: text, Detail: v.took(s)})
		}
		lines = append(lines, v.stepLines(s.Sub, prefix+s.Name+"/", indent+"  ")...)
	}
	return lines
}
