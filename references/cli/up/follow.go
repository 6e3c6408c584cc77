package up

import (
	"context"
	"errors"
	"fmt"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/references/cli/connect"
	"github.com/seed-c5f95f19/vela/references/cli/console"
	"github.com/seed-c5f95f19/vela/references/cli/progress"
	"github.com/seed-c5f95f19/vela/references/cli/source"
)

// How long a failure that may go away by itself is waited for: of the
// Application as a whole, such as a definition that was applied a moment ago,
// and of a step, which is tried again at growing intervals.
const (
	grace     = 10 * time.Second
	stepGrace = 20 * time.Second
)

// follow waits for the deliveries one after the other, because each has its
// own end; what happens meanwhile to the next ones is not lost.
func (o *Options) follow(ctx context.Context, c client.WithWatch, apps []*delivery) error {
	ctx, cancel := context.WithTimeout(ctx, o.Timeout)
	defer cancel()
	var failed []error
	for _, d := range apps {
		if err := o.followOne(ctx, c, d); err != nil {
			failed = append(failed, err)
		}
	}
	return errors.Join(failed...)
}

func (o *Options) followOne(ctx context.Context, c client.WithWatch, d *delivery) error {
	io := o.Factory.IO
	w := &watcher{options: o, delivery: d, live: console.NewLive(io)}
	seen := make(chan *v1beta1.Application)
	ended := make(chan error, 1)
	inner, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		ended <- connect.Follow(inner, c, d.key, func(app *v1beta1.Application) (bool, error) {
			select {
			case seen <- app:
				return false, nil
			case <-inner.Done():
				return true, nil
			}
		})
	}()
	ticker := time.NewTicker(200 * time.Millisecond)
	defer ticker.Stop()
	for {
		var done bool
		var err error
		select {
		case <-ctx.Done():
			return w.finish(o.unfinished(ctx, d, w.app))
		case err := <-ended:
			return w.finish(err)
		case app := <-seen:
			done, err = w.see(app, io.Now())
		case <-ticker.C:
			done, err = w.tick(io.Now())
		}
		if done || err != nil {
			return w.finish(err)
		}
	}
}

// A watcher judges what it sees of one delivery.
type watcher struct {
	options  *Options
	delivery *delivery
	live     *console.Live
	app      *v1beta1.Application
	failing  time.Time // since when; zero while all goes well
}

func (w *watcher) view(style console.Style) progress.View {
	f := w.options.Factory
	return progress.View{Style: style, Now: f.IO.Now(), Namespace: f.Namespace()}
}

func (w *watcher) see(app *v1beta1.Application, now time.Time) (done bool, err error) {
	if app == nil {
		return true, fmt.Errorf("application %s was deleted while it was being delivered", w.delivery.key)
	}
	if stale(app, w.delivery.previous) {
		app.Status = v1beta1.ApplicationStatus{}
	}
	w.app = app
	w.live.Update(w.view(w.options.Factory.IO.ErrStyle()).Lines(app))
	return w.judge(now)
}

// tick lets time pass: running times change on the screen, and a failure that
// stays is one.
func (w *watcher) tick(now time.Time) (done bool, err error) {
	if w.app == nil {
		return false, nil
	}
	if w.live.Redraws() {
		w.live.Update(w.view(w.options.Factory.IO.ErrStyle()).Lines(w.app))
	}
	return w.judge(now)
}

// stale reports whether the status is still the one of the version before:
// publishing alone does not change the generation.
func stale(app *v1beta1.Application, previous *v1beta1.WorkflowStatus) bool {
	wf := app.Status.Workflow
	return previous != nil && wf != nil && wf.AppRevision == previous.AppRevision && wf.StartTime.Equal(&previous.StartTime)
}

// judge decides whether there is anything left to wait for.
func (w *watcher) judge(now time.Time) (done bool, err error) {
	p := progress.Of(w.app)
	failing := p.State == progress.Failed || p.Failing
	switch {
	case !failing:
		w.failing = time.Time{}
	case w.failing.IsZero():
		w.failing = now
	}
	switch p.State {
	case progress.Delivered:
		return true, nil
	case progress.Waiting:
		return w.options.WaitFor == waitSuspended, nil
	case progress.Deleting:
		return true, fmt.Errorf("application %s is being deleted", w.delivery.key)
	case progress.Failed:
		if progress.Retries(p.Reason) && now.Sub(w.failing) < grace {
			return false, nil
		}
		return true, w.failed(p)
	default:
		if p.Failing && now.Sub(w.failing) >= stepGrace {
			return true, w.failed(p)
		}
		return false, nil
	}
}

func (w *watcher) failed(p progress.Progress) error {
	ref := w.view(console.Style{}).Ref(w.app)
	next := []string{"see all of it: vela status " + ref}
	switch {
	case progress.Retries(p.Reason):
		next = append(next, "the control plane keeps trying; correct the cause or the file and run vela up again")
	case p.Reason == v1beta1.ReasonStepFailed || p.Reason == v1beta1.ReasonTerminated:
		next = append(next, "correct what it says and run vela up again, or repeat the workflow as it is: vela workflow restart "+ref)
	default:
		next = append(next, "correct the file and run vela up again")
	}
	return console.Hint(fmt.Errorf("%s", source.LocateText(w.delivery.doc, w.options.docs, p.Why)), next...)
}

// finish replaces the live display by the report.
func (w *watcher) finish(err error) error {
	io := w.options.Factory.IO
	w.live.Done(io.OutTerminal)
	if w.app != nil {
		w.view(io.OutStyle()).Report(io.Out, w.app)
	}
	return err
}

// unfinished is what is said when the user or the clock ends the waiting.
func (o *Options) unfinished(ctx context.Context, d *delivery, app *v1beta1.Application) error {
	ref := d.key.Name
	if d.key.Namespace != o.Factory.Namespace() {
		ref += " -n " + d.key.Namespace
	}
	next := []string{"the control plane goes on without this command: vela status " + ref}
	if errors.Is(ctx.Err(), context.Canceled) {
		return console.Hint(fmt.Errorf("stopped waiting for application %s: %w", d.key, ctx.Err()), next...)
	}
	why := "nothing was heard of it"
	if app != nil {
		p := progress.Of(app)
		switch {
		case len(p.Waits) > 0:
			why = "step " + p.Waits[0].Step + " waits for a person"
		case p.Why != "":
			why = string(p.State) + ", " + p.Why
		default:
			why = string(p.State)
		}
	}
	return console.Hint(fmt.Errorf("application %s is not delivered after %s: %s", d.key, console.Age(o.Timeout), why),
		append(next, "wait longer: --timeout "+(2*o.Timeout).String())...)
}

// tellNext says how to see what was started.
func (o *Options) tellNext(apps []*delivery) {
	for _, d := range apps {
		ref := d.key.Name
		if d.key.Namespace != o.Factory.Namespace() {
			ref += " -n " + d.key.Namespace
		}
		o.Factory.IO.Notef("See how it goes: vela status %s", ref)
	}
}
