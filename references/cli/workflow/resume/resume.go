// Package resume is `vela workflow resume`: it lets a workflow that waits go
// on, and approves exactly the plan that was shown.
package resume

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/workflow"
	"github.com/seed-c5f95f19/vela/references/cli/connect"
	"github.com/seed-c5f95f19/vela/references/cli/console"
	"github.com/seed-c5f95f19/vela/references/cli/operate"
	"github.com/seed-c5f95f19/vela/references/cli/planview"
	"github.com/seed-c5f95f19/vela/references/cli/preview"
	"github.com/seed-c5f95f19/vela/references/cli/progress"
)

// Options are the inputs of the command.
type Options struct {
	Factory   *connect.Factory
	Name      string
	Namespace string
	Step      string
	Digest    string
}

// NewCommand returns `vela workflow resume`. Tests pass run to inspect the
// options.
func NewCommand(f *connect.Factory, run func(context.Context, *Options) error) *cobra.Command {
	o := &Options{Factory: f}
	if run == nil {
		run = resume
	}
	cmd := &cobra.Command{
		Use:   "resume APP",
		Short: "Let a workflow that waits go on; approve its plan",
		Long: `Let the workflow of an application that waits go on. A step that waits for the
approval of its plan is approved for exactly the plan that waits; if the plan
changes before the step runs, it waits again. With --digest the command refuses
to approve any other plan than the one that was looked at.`,
		Example:           "  vela workflow resume shop\n  vela workflow resume shop --step to-production --digest sha256:1a2b...",
		Args:              console.Args("APP"),
		ValidArgsFunction: f.CompleteApplications,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Name = args[0]
			if err := o.check(); err != nil {
				return err
			}
			return run(cmd.Context(), o)
		},
	}
	flags := cmd.Flags()
	flags.StringVarP(&o.Namespace, "namespace", "n", "", "`namespace` of the application")
	flags.StringVarP(&o.Step, "step", "s", "", "resume only this `step`")
	flags.StringVar(&o.Digest, "digest", "", "approve only the plan with this `digest`, whole or its first 12 letters or more")
	return cmd
}

// shortest is how many letters of a digest are needed: fewer could be guessed.
const shortest = 12

func (o *Options) check() error {
	if o.Digest == "" {
		return nil
	}
	o.Digest = "sha256:" + strings.ToLower(strings.TrimPrefix(o.Digest, "sha256:"))
	if letters := len(o.Digest) - len("sha256:"); letters < shortest {
		return console.Usagef("--digest has %d letters, want at least %d: copy it from vela status %s", letters, shortest, o.Name)
	}
	return nil
}

func resume(ctx context.Context, o *Options) error {
	c, err := o.Factory.Client()
	if err != nil {
		return err
	}
	by := workflow.Approver{Name: operate.Whoami(ctx, c)}
	key := client.ObjectKey{Namespace: cmp.Or(o.Namespace, o.Factory.Namespace()), Name: o.Name}
	var seen string // what was shown when the command began
	before, _, err := operate.Apply(ctx, c, key, func(app *v1beta1.Application, p workflow.Progress) (workflow.Progress, error) {
		plans := o.plans(app)
		digest, err := o.choose(plans, seen)
		if err != nil {
			return p, err
		}
		if len(plans) > 0 && seen == "" {
			seen = digests(plans)
		}
		by.Digest = digest
		return workflow.Resume(p, o.Step, by, o.Factory.IO.Now())
	})
	if changed := (changedError{}); errors.As(err, &changed) {
		o.explain(ctx, key)
	}
	if err != nil {
		return err
	}
	o.tell(before)
	return nil
}

// A changedError says that another plan waits than the one to approve.
type changedError struct{ error }

// explain shows what would be done now, and how it differs from the revision
// before. It is an addition to an error: what cannot be read is left out.
func (o *Options) explain(ctx context.Context, key client.ObjectKey) {
	io := o.Factory.IO
	printer := planview.Printer{Style: io.ErrStyle()}
	p, err := preview.OfLive(ctx, preview.Options{Factory: o.Factory}, key.Namespace, key.Name)
	if err != nil {
		return
	}
	subject, err := p.Subject(ctx, p.Apps[0])
	if err != nil {
		return
	}
	if view, err := p.Plan(ctx, subject); err == nil {
		io.Notef("What would be done now:\n")
		_ = printer.Print(io.Err, view) // to standard error: there is nowhere to report to
		io.Notef("")
	}
	if subject.Number < 2 {
		return
	}
	previous := strconv.FormatInt(subject.Number-1, 10)
	if view, err := p.Against(ctx, subject, previous); err == nil {
		io.Notef("What changed since revision %s-v%s:\n", key.Name, previous)
		_ = printer.Print(io.Err, view)
		io.Notef("")
	}
}

// plans are the waits that this command would approve.
func (o *Options) plans(app *v1beta1.Application) []progress.Wait {
	return slices.DeleteFunc(progress.Of(app).Waits, func(w progress.Wait) bool {
		return w.Plan == nil || (o.Step != "" && w.Step != o.Step)
	})
}

// choose returns the digest to approve, "" for whatever waits. It refuses a
// plan that is not the one that the user named, or not the one that waited when
// the command began.
func (o *Options) choose(plans []progress.Wait, seen string) (string, error) {
	if now := digests(plans); seen != "" && now != seen {
		return "", console.Hint(changedError{fmt.Errorf("the plan changed while it was being approved: %s", now)},
			"look at the new one: vela plan "+o.Name)
	}
	if o.Digest == "" {
		return "", nil
	}
	var found []string
	for _, w := range plans {
		if strings.HasPrefix(w.Plan.Digest, o.Digest) {
			found = append(found, w.Plan.Digest)
		}
	}
	switch {
	case len(found) == 1 && len(plans) == 1:
		return found[0], nil
	case len(found) == 1:
		return "", console.Usagef("%d steps wait for an approval (%s): choose one with --step", len(plans), digests(plans))
	case len(plans) == 0:
		return "", fmt.Errorf("no step waits for the approval of a plan")
	default:
		return "", o.refuse(plans)
	}
}

// refuse says what waits instead of what the user has looked at.
func (o *Options) refuse(plans []progress.Wait) error {
	var parts []string
	for _, w := range plans {
		part := "step " + w.Step + " waits for plan " + progress.Short(w.Plan.Digest)
		if w.Plan.Summary != "" {
			part += " (" + w.Plan.Summary + ")"
		}
		if w.Message != "" {
			part += ": " + w.Message
		}
		parts = append(parts, part)
	}
	return console.Hint(changedError{fmt.Errorf("plan %s is not what would be done now; %s", progress.Short(o.Digest), strings.Join(parts, "; "))},
		"look at what changed: vela plan "+o.Name,
		"then approve it: vela workflow resume "+o.Name+" --digest "+plans[0].Plan.Digest)
}

func digests(plans []progress.Wait) string {
	var parts []string
	for _, w := range plans {
		parts = append(parts, w.Step+" "+progress.Short(w.Plan.Digest))
	}
	return strings.Join(parts, ", ")
}

// tell says what was resumed and how to follow it.
func (o *Options) tell(before *v1beta1.Application) {
	io := o.Factory.IO
	waits := progress.Of(before).Waits
	for _, w := range waits {
		switch {
		case o.Step != "" && w.Step != o.Step:
		case w.Plan != nil:
			io.Notef("Step %s: plan %s is approved", w.Step, progress.Short(w.Plan.Digest))
		default:
			io.Notef("Step %s goes on", w.Step)
		}
	}
	if len(waits) == 0 {
		io.Notef("The workflow of %s goes on", o.Name)
	}
	view := progress.View{Namespace: o.Factory.Namespace()}
	io.Notef("See how it goes: vela status %s", view.Ref(before))
}
