// Package cli is the vela command: root.go lists its subcommands, each in a
// folder of its own. Commands parse options and say what they found; what they
// do is done by pkg.
package cli

import (
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seed-c5f95f19/vela/pkg/version"
	"github.com/seed-c5f95f19/vela/references/cli/cluster"
	"github.com/seed-c5f95f19/vela/references/cli/completion"
	"github.com/seed-c5f95f19/vela/references/cli/connect"
	"github.com/seed-c5f95f19/vela/references/cli/console"
	"github.com/seed-c5f95f19/vela/references/cli/def"
	"github.com/seed-c5f95f19/vela/references/cli/delete"
	"github.com/seed-c5f95f19/vela/references/cli/dryrun"
	"github.com/seed-c5f95f19/vela/references/cli/livediff"
	"github.com/seed-c5f95f19/vela/references/cli/local"
	"github.com/seed-c5f95f19/vela/references/cli/ls"
	"github.com/seed-c5f95f19/vela/references/cli/plan"
	"github.com/seed-c5f95f19/vela/references/cli/ql"
	"github.com/seed-c5f95f19/vela/references/cli/show"
	"github.com/seed-c5f95f19/vela/references/cli/status"
	"github.com/seed-c5f95f19/vela/references/cli/up"
	versioncmd "github.com/seed-c5f95f19/vela/references/cli/version"
	"github.com/seed-c5f95f19/vela/references/cli/workflow"
)

// The groups of the help.
const (
	groupDeliver  = "deliver"
	groupAuthor   = "author"
	groupPlatform = "platform"
	groupSystem   = "system"
)

// NewRoot returns the vela command with all its subcommands.
func NewRoot(f *connect.Factory) *cobra.Command {
	root := console.Group(&cobra.Command{
		Use:   "vela",
		Short: "Deliver applications to many clusters",
		Long: `vela delivers applications to many clusters: it renders components and traits
through definitions, plans what changes where, waits for approvals, and repairs
what drifts.`,
		Version:       version.Current().String(),
		SilenceErrors: true,
		SilenceUsage:  true,
	})
	root.SetIn(f.IO.In)
	root.SetOut(f.IO.Out)
	root.SetErr(f.IO.Err)
	root.SetVersionTemplate("vela {{.Version}}\n")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return console.Usagef("%s: %w; see %s --help", cmd.CommandPath(), err, cmd.CommandPath())
	})
	f.BindFlags(root.PersistentFlags())
	add(root, groupDeliver, "Deliver:",
		up.NewCommand(f, nil),
		status.NewCommand(f, nil),
		ls.NewCommand(f, nil),
		delete.NewCommand(f, nil),
		dryrun.NewCommand(f, nil),
		plan.NewCommand(f, nil),
		livediff.NewCommand(f, nil),
		workflow.NewCommand(f),
		ql.NewCommand(f, nil),
	)
	add(root, groupAuthor, "Definitions:",
		show.NewCommand(f, nil),
		def.NewCommand(f),
	)
	add(root, groupPlatform, "Clusters:",
		cluster.NewCommand(f),
		local.NewCommand(f, nil),
	)
	add(root, groupSystem, "This command:",
		versioncmd.NewCommand(f, nil),
		completion.NewCommand(f),
	)
	root.SetHelpCommandGroupID(groupSystem)
	root.CompletionOptions.DisableDefaultCmd = true // ours says it shorter
	return root
}

func add(root *cobra.Command, id, title string, commands ...*cobra.Command) {
	root.AddGroup(&cobra.Group{ID: id, Title: title})
	for _, command := range commands {
		command.GroupID = id
		root.AddCommand(command)
	}
}

// Explain makes of an error that a command returned what the user should read.
func Explain(f *connect.Factory, err error) error {
	if err == nil {
		return nil
	}
	var usage *console.UsageError
	if !errors.As(err, &usage) && strings.HasPrefix(err.Error(), "required flag(s)") {
		return console.Usagef("%w", err)
	}
	return f.Explain(err)
}
