package console

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// NoArgs accepts no arguments.
func NoArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return Usagef("%s takes no argument, got %q; see %s --help", cmd.CommandPath(), args[0], cmd.CommandPath())
	}
	return nil
}

// Args accepts exactly the named arguments.
func Args(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == len(names) {
			return nil
		}
		want := strings.Join(names, " ")
		if len(args) < len(names) {
			return Usagef("name the %s: %s %s", strings.ToLower(names[len(args)]), cmd.CommandPath(), want)
		}
		return Usagef("%s takes %s, got %q too", cmd.CommandPath(), want, args[len(names)])
	}
}

// Group makes cmd a group: without a subcommand it prints its help, and an
// unknown one is an error.
func Group(cmd *cobra.Command, members ...*cobra.Command) *cobra.Command {
	cmd.AddCommand(members...)
	cmd.Args = cobra.ArbitraryArgs // RunE says better than cobra what is wrong
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return cmd.Help()
		}
		near := ""
		if cmd.SuggestionsMinimumDistance <= 0 {
			cmd.SuggestionsMinimumDistance = 2
		}
		if names := cmd.SuggestionsFor(args[0]); len(names) > 0 {
			near = fmt.Sprintf("; did you mean %s?", strings.Join(names, " or "))
		}
		return Usagef("%s has no command %q%s", cmd.CommandPath(), args[0], near)
	}
	return cmd
}

// OneOf checks the value of a flag; "" among allowed stands for its absence.
func OneOf(flag, value string, allowed ...string) error {
	if slices.Contains(allowed, value) {
		return nil
	}
	named := slices.DeleteFunc(slices.Clone(allowed), func(a string) bool { return a == "" })
	return Usagef("--%s is %q; want one of %s", flag, value, strings.Join(named, ", "))
}
