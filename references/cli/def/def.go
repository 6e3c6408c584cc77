// Package def is the group `vela def`: everything for those who write
// definitions.
package def

import (
	"github.com/spf13/cobra"

	"github.com/seed-c5f95f19/vela/references/cli/connect"
	"github.com/seed-c5f95f19/vela/references/cli/console"
	"github.com/seed-c5f95f19/vela/references/cli/def/apply"
	"github.com/seed-c5f95f19/vela/references/cli/def/compat"
	"github.com/seed-c5f95f19/vela/references/cli/def/del"
	"github.com/seed-c5f95f19/vela/references/cli/def/edit"
	"github.com/seed-c5f95f19/vela/references/cli/def/gendoc"
	"github.com/seed-c5f95f19/vela/references/cli/def/get"
	"github.com/seed-c5f95f19/vela/references/cli/def/impact"
	"github.com/seed-c5f95f19/vela/references/cli/def/list"
	"github.com/seed-c5f95f19/vela/references/cli/def/render"
	"github.com/seed-c5f95f19/vela/references/cli/def/scaffold"
	"github.com/seed-c5f95f19/vela/references/cli/def/schema"
	"github.com/seed-c5f95f19/vela/references/cli/def/test"
	"github.com/seed-c5f95f19/vela/references/cli/def/upgrade"
	"github.com/seed-c5f95f19/vela/references/cli/def/vet"
)

// NewCommand returns the group with its commands.
func NewCommand(f *connect.Factory) *cobra.Command {
	return console.Group(&cobra.Command{
		Use:     "def",
		Aliases: []string{"definition"},
		Short:   "Write, test and install definitions",
		Long: `Write, test and install definitions: what components, traits, policies and
workflow steps mean. A definition is written in CUE; init, vet, test, render,
upgrade, schema and gen-doc need no cluster.`,
	},
		scaffold.NewCommand(f, nil),
		vet.NewCommand(f, nil),
		test.NewCommand(f, nil),
		render.NewCommand(f, nil),
		impact.NewCommand(f, nil),
		gendoc.NewCommand(f, nil),
		upgrade.NewCommand(f, nil),
		schema.NewCommand(f, nil),
		apply.NewCommand(f, nil),
		get.NewCommand(f, nil),
		list.NewCommand(f, nil),
		edit.NewCommand(f, nil),
		del.NewCommand(f, nil),
		compat.NewCommand(f, nil),
	)
}
