// Package completion is `vela completion`: what makes a shell complete the
// commands, flags and application names of vela.
package completion

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/seed-c5f95f19/vela/references/cli/connect"
	"github.com/seed-c5f95f19/vela/references/cli/console"
)

// NewCommand returns `vela completion`.
func NewCommand(f *connect.Factory) *cobra.Command {
	return &cobra.Command{
		Use:   "completion SHELL",
		Short: "Print what makes a shell complete vela's commands",
		Long: `Print the script that makes a shell complete vela's commands, flags and the names
of applications. SHELL is bash, zsh, fish or powershell.`,
		Example:   "  source <(vela completion bash)\n  vela completion zsh > \"${fpath[1]}/_vela\"\n  vela completion fish > ~/.config/fish/completions/vela.fish",
		ValidArgs: []string{"bash", "zsh", "fish", "powershell"},
		Args:      console.Args("SHELL"),
		RunE: func(cmd *cobra.Command, args []string) error {
			root, out := cmd.Root(), f.IO.Out
			var err error
			switch args[0] {
			case "bash":
				err = root.GenBashCompletionV2(out, true)
			case "zsh":
				err = root.GenZshCompletion(out)
			case "fish":
				err = root.GenFishCompletion(out, true)
			case "powershell":
				err = root.GenPowerShellCompletionWithDesc(out)
			default:
				return console.Usagef("SHELL is %q; want bash, zsh, fish or powershell", args[0])
			}
			if err != nil {
				return fmt.Errorf("write the completion of %s: %w", args[0], err)
			}
			return nil
		},
	}
}
