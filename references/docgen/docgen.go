// Package docgen writes the reference of the vela command from the command
// itself: one page for each command of the list, with its subcommands, and an
// index. The pages in docs/cli are its output; a test compares them, and
// `UPDATE=1 go test ./references/docgen` writes them.
package docgen

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// CLI returns the pages by file name.
func CLI(root *cobra.Command) map[string]string {
	pages := map[string]string{"README.md": index(root)}
	for _, cmd := range listed(root) {
		var page strings.Builder
		describe(&page, cmd, "#")
		pages[cmd.Name()+".md"] = page.String()
	}
	return pages
}

// listed are the commands that people see, in the order of the help.
func listed(cmd *cobra.Command) []*cobra.Command {
	var out []*cobra.Command
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() && c.Name() != "help" {
			out = append(out, c)
		}
	}
	return out
}

func index(root *cobra.Command) string {
	var page strings.Builder
	fmt.Fprintf(&page, "# %s\n\n%s\n", root.Name(), root.Long)
	for _, group := range root.Groups() {
		fmt.Fprintf(&page, "\n## %s\n\n", strings.TrimSuffix(group.Title, ":"))
		for _, cmd := range listed(root) {
			if cmd.GroupID == group.ID {
				fmt.Fprintf(&page, "- [%s](%s.md): %s\n", cmd.CommandPath(), cmd.Name(), cmd.Short)
			}
		}
	}
	fmt.Fprintf(&page, "\n## Flags of every command\n\n")
	flags(&page, root.PersistentFlags())
	page.WriteString(conventions)
	return page.String()
}

// conventions hold for all commands.
const conventions = `
## Conventions

- Standard output holds the answer, standard error progress, warnings and errors.
- The exit code is 0 when all went well, 1 when the command, or the application that it is about, failed or is
  unhealthy, 2 when the command line is wrong (nothing was done then), and 130 after an interrupt.
- The cluster is the one of ` + "`--kubeconfig`, `KUBECONFIG`, `~/.kube/config`" + `, the service account of the pod, or the hub of
  vela-local, whichever comes first. ` + "`-v`" + ` says which one it was.
- Colours appear only on a terminal; ` + "`NO_COLOR`" + ` switches them off there too.
- ` + "`-o json`" + ` and ` + "`-o yaml`" + ` are stable: the wire type where there is one (Application, ApplicationList), otherwise a type of
  the command whose fields are only ever added to.
- ` + "`DEFAULT_VELA_NS`" + ` names the namespace of definitions and clusters when it is not vela-system.
`

func describe(page *strings.Builder, cmd *cobra.Command, level string) {
	fmt.Fprintf(page, "%s %s\n\n", level, cmd.CommandPath())
	text := cmd.Long
	if text == "" {
		text = cmd.Short + "."
	}
	fmt.Fprintf(page, "%s\n", text)
	members := listed(cmd)
	if len(members) == 0 {
		fmt.Fprintf(page, "\n```\n%s\n```\n", cmd.UseLine())
	}
	if len(cmd.Aliases) > 0 {
		fmt.Fprintf(page, "\nAlso: %s\n", strings.Join(cmd.Aliases, ", "))
	}
	if cmd.Example != "" {
		fmt.Fprintf(page, "\n```sh\n%s\n```\n", dedent(cmd.Example))
	}
	if cmd.LocalNonPersistentFlags().HasAvailableFlags() {
		page.WriteString("\n")
		flags(page, cmd.LocalNonPersistentFlags())
	}
	for _, member := range members {
		page.WriteString("\n")
		describe(page, member, level+"#")
	}
}

func flags(page *strings.Builder, set *pflag.FlagSet) {
	page.WriteString("| Flag | Default | |\n|---|---|---|\n")
	set.VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Name == "help" || f.Name == "version" {
			return
		}
		value, usage := pflag.UnquoteUsage(f)
		name := "`--" + f.Name
		if f.Shorthand != "" {
			name = "`-" + f.Shorthand + "`, " + name
		}
		if value != "" {
			name += " " + strings.ToUpper(value)
		}
		byDefault := ""
		if f.DefValue != "" && f.DefValue != "[]" && f.DefValue != "false" {
			byDefault = "`" + f.DefValue + "`"
		}
		fmt.Fprintf(page, "| %s` | %s | %s |\n", name, byDefault, strings.ReplaceAll(usage, "|", `\|`))
	})
}

func dedent(text string) string {
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = strings.TrimPrefix(lines[i], "  ")
	}
	return strings.Join(lines, "\n")
}
