// Package list is `vela workflow list`: where the workflows of Applications
// and the WorkflowRuns stand.
package list

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1alpha1"
	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/references/cli/connect"
	"github.com/seed-c5f95f19/vela/references/cli/console"
	"github.com/seed-c5f95f19/vela/references/cli/progress"
)

// Options are the inputs of the command.
type Options struct {
	Factory       *connect.Factory
	Namespace     string
	AllNamespaces bool
	Output        string
}

// An Item is one workflow in -o json and -o yaml.
type Item struct {
	Kind      string                `json:"kind"` // Application or WorkflowRun
	Namespace string                `json:"namespace"`
	Name      string                `json:"name"`
	Phase     v1beta1.WorkflowPhase `json:"phase"`
	Step      string                `json:"step,omitempty"` // that runs, waits or failed
	Digest    string                `json:"digest,omitempty"`
	Started   *time.Time            `json:"started,omitempty"`
	Ended     *time.Time            `json:"ended,omitempty"`
}

// NewCommand returns `vela workflow list`. Tests pass run to inspect the
// options.
func NewCommand(f *connect.Factory, run func(context.Context, *Options) error) *cobra.Command {
	o := &Options{Factory: f}
	if run == nil {
		run = list
	}
	cmd := &cobra.Command{
		Use:     "list",
		Aliases: []string{"ls"},
		Short:   "List workflows and where they stand",
		Args:    console.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := console.OneOf("output", o.Output, "", "json", "yaml"); err != nil {
				return err
			}
			return run(cmd.Context(), o)
		},
	}
	cmd.Flags().StringVarP(&o.Namespace, "namespace", "n", "", "`namespace` to list")
	cmd.Flags().BoolVarP(&o.AllNamespaces, "all-namespaces", "A", false, "list all namespaces")
	cmd.Flags().StringVarP(&o.Output, "output", "o", "", "json or yaml")
	return cmd
}

func list(ctx context.Context, o *Options) error {
	c, err := o.Factory.Client()
	if err != nil {
		return err
	}
	scope := &client.ListOptions{}
	if !o.AllNamespaces {
		scope.Namespace = cmp.Or(o.Namespace, o.Factory.Namespace())
	}
	var apps v1beta1.ApplicationList
	if err := c.List(ctx, &apps, scope); err != nil {
		return fmt.Errorf("list applications: %w", err)
	}
	var runs v1alpha1.WorkflowRunList
	if err := c.List(ctx, &runs, scope); err != nil && !apierrors.IsNotFound(err) { // the kind may not be installed
		return fmt.Errorf("list workflow runs: %w", err)
	}
	items := collect(apps.Items, runs.Items)
	switch o.Output {
	case "json":
		return console.JSON(o.Factory.IO.Out, items)
	case "yaml":
		return console.YAML(o.Factory.IO.Out, items)
	}
	o.print(items)
	return nil
}

func collect(apps []v1beta1.Application, runs []v1alpha1.WorkflowRun) []Item {
	items := []Item{}
	for i := range apps {
		wf := apps[i].Status.Workflow
		if wf == nil {
			continue
		}
		item := Item{Kind: v1beta1.ApplicationKind, Namespace: apps[i].Namespace, Name: apps[i].Name, Phase: wf.Phase}
		item.Step, item.Digest = current(progress.Of(&apps[i]).Steps)
		item.Started, item.Ended = moment(wf.StartTime.Time), moment(wf.EndTime.Time)
		items = append(items, item)
	}
	for _, run := range runs {
		item := Item{Kind: "WorkflowRun", Namespace: run.Namespace, Name: run.Name, Phase: run.Status.Phase}
		item.Step, item.Digest = current(progress.Steps(run.Status.Steps))
		item.Started, item.Ended = moment(run.Status.StartTime.Time), moment(run.Status.EndTime.Time)
		items = append(items, item)
	}
	slices.SortStableFunc(items, func(a, b Item) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
	return items
}

// current is the step that runs, waits or failed, the innermost one.
func current(steps []progress.Step) (name, digest string) {
	for _, s := range steps {
		if name, digest := current(s.Sub); name != "" {
			return name, digest
		}
		switch s.Phase {
		case v1beta1.StepSuspending:
			if s.Plan != nil {
				digest = s.Plan.Digest
			}
			return s.Name, digest
		case v1beta1.StepRunning, v1beta1.StepFailed:
			return s.Name, ""
		}
	}
	return "", ""
}

func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

func (o *Options) print(items []Item) {
	io := o.Factory.IO
	if len(items) == 0 {
		io.Notef("No workflows")
		return
	}
	style := io.OutStyle()
	table := console.Table{Header: []string{"NAMESPACE", "NAME", "KIND", "PHASE", "STEP", "PLAN", "STARTED", "TOOK"}}
	for _, i := range items {
		phase := string(i.Phase)
		switch i.Phase {
		case v1beta1.WorkflowSucceeded:
			phase = style.Good(phase)
		case v1beta1.WorkflowFailed, v1beta1.WorkflowTerminated:
			phase = style.Bad(phase)
		default:
			phase = style.Wait(phase)
		}
		started, took := "-", "-"
		if i.Started != nil {
			started = console.Since(io.Now(), *i.Started)
			took = started
			if i.Ended != nil {
				took = console.Age(i.Ended.Sub(*i.Started))
			}
		}
		table.Add(i.Namespace, i.Name, i.Kind, phase, i.Step, progress.Short(i.Digest), started, took)
	}
	table.Print(io.Out)
}
