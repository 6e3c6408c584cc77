package progress

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/references/cli/console"
)

// A View is how a report is written.
type View struct {
	Style console.Style
	Now   time.Time
	Wide  bool // details and traits of healthy components too

	// Namespace is the one that commands use without -n.
	Namespace string
}

// Ref is how commands name app: with -n when it is needed.
func (v View) Ref(app *v1beta1.Application) string {
	if app.Namespace == v.Namespace {
		return app.Name
	}
	return app.Name + " -n " + app.Namespace
}

// Report writes everything that the status of app says.
func (v View) Report(w io.Writer, app *v1beta1.Application) {
	p := Of(app)
	v.head(w, app, p)
	if len(p.Steps) > 0 {
		fmt.Fprintf(w, "\n%s\n", v.Style.Bold("Workflow"))
		v.steps(p.Steps).Print(w)
	}
	if len(p.Services) > 0 {
		fmt.Fprintf(w, "\n%s\n", v.Style.Bold("Components"))
		v.services(app, p.Services).Print(w)
	}
	if t := v.policies(app); len(t.Rows) > 0 {
		fmt.Fprintf(w, "\n%s\n", v.Style.Bold("Policies"))
		t.Print(w)
	}
	v.Next(w, app, p)
}

func (v View) head(w io.Writer, app *v1beta1.Application, p Progress) {
	fmt.Fprintf(w, "%s  %s\n", v.Style.Bold(app.Name), v.state(p.State, string(cmp.Or(app.Status.Phase, "new"))))
	facts := []string{"namespace " + app.Namespace}
	if r := app.Status.LatestRevision; r != nil {
		facts = append(facts, "revision "+r.Name)
	}
	if created := app.CreationTimestamp.Time; !created.IsZero() {
		facts = append(facts, "created "+console.Since(v.Now, created)+" ago")
	}
	fmt.Fprintf(w, "  %s\n", v.Style.Dim(strings.Join(facts, ", ")))
	if p.Why != "" {
		fmt.Fprintf(w, "  %s\n", v.state(p.State, p.Why))
	}
}

func (v View) state(state State, text string) string {
	switch state {
	case Delivered:
		return v.Style.Good(text)
	case Failed, Unhealthy:
		return v.Style.Bad(text)
	default:
		return v.Style.Wait(text)
	}
}

func (v View) steps(steps []Step) *console.Table {
	t := &console.Table{Indent: "  "}
	var add func(steps []Step, indent string)
	add = func(steps []Step, indent string) {
		for _, s := range steps {
			t.Add(indent+v.mark(s.Phase)+" "+s.Name, s.Type, string(s.Phase), v.took(s), v.remark(s))
			add(s.Sub, indent+"  ")
		}
	}
	add(steps, "")
	return t
}

// took is how long a step ran, or runs.
func (v View) took(s Step) string {
	switch {
	case s.Started.IsZero():
		return ""
	case s.Ended.IsZero():
		return console.Since(v.Now, s.Started)
	default:
		return console.Age(s.Ended.Sub(s.Started))
	}
}

func (v View) remark(s Step) string {
	if s.Plan == nil || s.Phase == v1beta1.StepPending {
		return s.Message
	}
	text := "plan " + Short(s.Plan.Digest)
	if s.Plan.Summary != "" {
		text += ": " + s.Plan.Summary
	}
	if s.Plan.Approved != "" && s.Plan.ApprovedBy != "" {
		text += ", approved by " + s.Plan.ApprovedBy
	}
	if s.Phase == v1beta1.StepFailed && s.Message != "" {
		text += "; " + s.Message
	}
	return text
}

func (v View) mark(phase v1beta1.StepPhase) string {
	switch phase {
	case v1beta1.StepSucceeded:
		return v.Style.Good("✔")
	case v1beta1.StepFailed:
		return v.Style.Bad("✘")
	case v1beta1.StepRunning:
		return v.Style.Wait("●")
	case v1beta1.StepSuspending:
		return v.Style.Wait("‖")
	case v1beta1.StepSkipped:
		return v.Style.Dim("-")
	default:
		return v.Style.Dim("○")
	}
}

func (v View) services(app *v1beta1.Application, services []v1beta1.ApplicationComponentStatus) *console.Table {
	t := &console.Table{Indent: "  "}
	for _, s := range services {
		t.Add(v.health(s.Healthy, false)+" "+s.Name, Type(app, s.Name), Place(s), word(s.Healthy), s.Message)
		for _, trait := range s.Traits {
			if !v.Wide && trait.Healthy && trait.Message == "" {
				continue
			}
			t.Add("  "+v.health(trait.Healthy, trait.Pending)+" "+trait.Type, "trait", "", traitWord(trait), trait.Message)
		}
	}
	return t
}

func (v View) health(healthy, pending bool) string {
	switch {
	case pending:
		return v.Style.Dim("○")
	case healthy:
		return v.Style.Good("✔")
	default:
		return v.Style.Bad("✘")
	}
}

func word(healthy bool) string {
	if healthy {
		return "healthy"
	}
	return "unhealthy"
}

func traitWord(t v1beta1.ApplicationTraitStatus) string {
	if t.Pending {
		return "pending"
	}
	return word(t.Healthy)
}

// Next writes what a person can do now, with the commands to type.
func (v View) Next(w io.Writer, app *v1beta1.Application, p Progress) {
	ref := v.Ref(app)
	if p.State != Waiting {
		if p.State == Failed && p.Reason == v1beta1.ReasonStepFailed {
			fmt.Fprintln(w)
			v.commands(w, [][2]string{{"again", "vela workflow restart " + ref}})
		}
		return
	}
	if len(p.Waits) == 0 {
		fmt.Fprintf(w, "\n%s\n", v.Style.Bold("The workflow is suspended"))
		v.commands(w, [][2]string{{"go on", "vela workflow resume " + ref}, {"stop", "vela workflow terminate " + ref}})
		return
	}
	for _, wait := range p.Waits {
		step := ""
		if len(p.Waits) > 1 {
			step = " --step " + wait.Step
		}
		if wait.Plan == nil {
			fmt.Fprintf(w, "\n%s\n", v.Style.Bold("Step "+wait.Step+" waits until somebody resumes it"))
			if wait.Message != "" {
				fmt.Fprintf(w, "  %s\n", wait.Message)
			}
			v.commands(w, [][2]string{{"go on", "vela workflow resume " + ref + step}, {"stop", "vela workflow terminate " + ref}})
			continue
		}
		v.approval(w, ref, step, wait)
	}
}

func (v View) approval(w io.Writer, ref, step string, wait Wait) {
	fmt.Fprintf(w, "\n%s\n", v.Style.Bold("Step "+wait.Step+" waits for the approval of its plan"))
	if wait.Plan.Approved != "" && wait.Plan.Approved != wait.Plan.Digest {
		fmt.Fprintf(w, "  %s\n", v.Style.Wait("plan "+Short(wait.Plan.Approved)+" was approved, but it is no longer what would be done"))
	}
	lines := [][2]string{{"plan", wait.Plan.Digest}}
	if wait.Plan.Summary != "" {
		lines = append(lines, [2]string{"changes", wait.Plan.Summary})
	}
	v.commands(w, append(lines,
		[2]string{"show", "vela plan " + ref},
		[2]string{"approve", "vela workflow resume " + ref + step + " --digest " + wait.Plan.Digest},
		[2]string{"stop", "vela workflow terminate " + ref}))
}

func (v View) commands(w io.Writer, lines [][2]string) {
	t := &console.Table{Indent: "  "}
	for _, line := range lines {
		t.Add(v.Style.Dim(line[0]), line[1])
	}
	t.Print(w)
}

// Short is a digest as it is shown in tables: enough to tell two apart.
func Short(digest string) string {
	const letters = len("sha256:") + 12
	if len(digest) > letters {
		return digest[:letters]
	}
	return digest
}
