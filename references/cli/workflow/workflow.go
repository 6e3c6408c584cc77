// Package workflow is the group `vela workflow`: what people do to the
// workflow of an Application while it runs.
package workflow

import (
	"github.com/spf13/cobra"

	"github.com/seed-c5f95f19/vela/references/cli/connect"
	"github.com/seed-c5f95f19/vela/references/cli/console"
	"github.com/seed-c5f95f19/vela/references/cli/workflow/list"
	"github.com/seed-c5f95f19/vela/references/cli/workflow/restart"
	"github.com/seed-c5f95f19/vela/references/cli/workflow/resume"
	"github.com/seed-c5f95f19/vela/references/cli/workflow/suspend"
	"github.com/seed-c5f95f19/vela/references/cli/workflow/terminate"
)

// NewCommand returns the group with its commands.
func NewCommand(f *connect.Factory) *cobra.Command {
	return console.Group(&cobra.Command{
		Use:   "workflow",
		Short: "Approve, hold, end or repeat the workflow of an application",
	},
		resume.NewCommand(f, nil),
		suspend.NewCommand(f, nil),
		terminate.NewCommand(f, nil),
		restart.NewCommand(f, nil),
		list.NewCommand(f, nil),
	)
}
