// Package cluster is the group `vela cluster`: the clusters that applications
// are delivered to.
package cluster

import (
	"github.com/spf13/cobra"

	"github.com/seed-c5f95f19/vela/references/cli/cluster/detach"
	"github.com/seed-c5f95f19/vela/references/cli/cluster/join"
	"github.com/seed-c5f95f19/vela/references/cli/cluster/labels"
	"github.com/seed-c5f95f19/vela/references/cli/cluster/list"
	"github.com/seed-c5f95f19/vela/references/cli/cluster/rename"
	"github.com/seed-c5f95f19/vela/references/cli/connect"
	"github.com/seed-c5f95f19/vela/references/cli/console"
)

// NewCommand returns the group with its commands.
func NewCommand(f *connect.Factory) *cobra.Command {
	return console.Group(&cobra.Command{
		Use:   "cluster",
		Short: "Manage the clusters that applications are delivered to",
	},
		join.NewCommand(f, nil),
		list.NewCommand(f, nil),
		rename.NewCommand(f, nil),
		detach.NewCommand(f, nil),
		labels.NewCommand(f, nil),
	)
}
