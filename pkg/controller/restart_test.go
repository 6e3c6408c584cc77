package controller_test

import (
	"fmt"
	"testing"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/oam"
	"github.com/seed-c5f95f19/vela/pkg/test/build"
	"github.com/seed-c5f95f19/vela/pkg/test/env"
)

// began is when the workflow of app began.
func began(app *v1beta1.Application) time.Time {
	if app.Status.Workflow == nil {
		return time.Time{}
	}
	return app.Status.Workflow.StartTime.Time
}

// The annotation that the step restart-workflow writes begins the workflow anew:
// at once and at a time, each once, and again and again.
func TestRestartByAnnotation(t *testing.T) {
	t.Parallel()
	hub, _ := start(t)
	ns := env.Namespace(t)
	app := build.App(ns+"/again").Component("a", "k8s-objects", configMap("a", "1")).Object()
	env.Create(t, app)
	first := reaches(t, hub, app, "running", phase(v1beta1.ApplicationRunning))

	annotate := func(value string) {
		t.Helper()
		patch := fmt.Sprintf(`{"metadata":{"annotations":{%q:%q}}}`, oam.AnnotationRestartWorkflow, value)
		if err := hub.Patch(t.Context(), app.DeepCopy(), client.RawPatch("application/merge-patch+json", []byte(patch))); err != nil {
			t.Fatal(err)
		}
	}
	done := func(after time.Time) func(*v1beta1.Application) bool {
		return func(a *v1beta1.Application) bool {
			_, asked := a.Annotations[oam.AnnotationRestartWorkflow]
			return began(a).After(after) && !asked && a.Status.Phase == v1beta1.ApplicationRunning
		}
	}
	annotate("true")
	second := reaches(t, hub, app, "restarted at once", done(began(first)))

	at := time.Now().Add(2 * time.Second).Truncate(time.Second)
	annotate(at.UTC().Format(time.RFC3339))
	third := reaches(t, hub, app, "restarted at the time", done(began(second)))
	if began(third).Before(at) {
		t.Errorf("began at %s, want not before %s", began(third), at)
	}

	annotate("1s")
	for i := range 2 {
		last := began(third)
		third = reaches(t, hub, app, fmt.Sprintf("restarted again (%d)", i), func(a *v1beta1.Application) bool {
			return began(a).After(last) && a.Annotations[oam.AnnotationRestartWorkflow] == "1s"
		})
	}
}

// What is to begin again and again needs no event to do so.
func TestRestartWithoutEvents(t *testing.T) {
	t.Parallel()
	hub, _ := start(t)
	ns := env.Namespace(t)
	app := build.App(ns+"/again").Annotate(oam.AnnotationRestartWorkflow, "2s").Component("a", "k8s-objects", configMap("a", "1")).Object()
	env.Create(t, app)
	last := began(reaches(t, hub, app, "running", phase(v1beta1.ApplicationRunning)))
	for range 4 {
		last = began(reaches(t, hub, app, "begun again", func(a *v1beta1.Application) bool { return began(a).After(last) }))
	}
}
