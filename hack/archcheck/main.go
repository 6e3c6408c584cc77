// Command archcheck holds the code to docs/ARCHITECTURE.md: who may import whom,
// how large things may be, and which names are not used. It reads the packages
// of a module with `go list` and the syntax of their files, and prints, for each
// breach, the rule and the fix. It knows nothing about types and runs no code.
//
//	go run ./hack/archcheck [-exceptions FILE] [MODULE-DIRECTORY ...]
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"sort"
)

func main() {
	file := flag.String("exceptions", "hack/archcheck/exceptions.txt", "file of allowed breaches")
	flag.Parse()
	dirs := flag.Args()
	if len(dirs) == 0 {
		dirs = []string{"."}
	}
	found, err := run(os.Stdout, *file, dirs...)
	if err != nil {
		fmt.Fprintln(os.Stderr, "archcheck:", err)
		os.Exit(2)
	}
	if found > 0 {
		os.Exit(1)
	}
}

// run checks the modules in dirs and returns the number of breaches it printed.
func run(w io.Writer, exceptionsFile string, dirs ...string) (int, error) {
	var pkgs []*Package
	for _, dir := range dirs {
		more, err := load(dir)
		if err != nil {
			return 0, err
		}
		pkgs = append(pkgs, more...)
	}
	allowed, err := readExceptions(exceptionsFile)
	if err != nil {
		return 0, err
	}
	breaches := check(pkgs)
	left, unused := allowed.filter(breaches)
	for _, b := range left {
		fmt.Fprintf(w, "%s: [%s] %s\n\tfix: %s\n", b.Subject, b.Rule, b.Message, b.Fix)
	}
	for _, e := range unused {
		fmt.Fprintf(w, "%s: [exceptions] %s %s is no longer needed\n\tfix: delete the line\n", e.Place, e.Rule, e.Subject)
	}
	if n := len(left) + len(unused); n > 0 {
		fmt.Fprintf(w, "archcheck: %d breaches in %d packages\n", n, len(pkgs))
		return n, nil
	}
	fmt.Fprintf(w, "archcheck: %d packages follow the rules\n", len(pkgs))
	return 0, nil
}

// A Breach is one place that does not follow a rule.
type Breach struct {
	Rule    string // name of the rule
	Subject string // package path, or package path and name: what an exception names
	Message string
	Fix     string
}

// check applies every rule and sorts what it finds.
func check(pkgs []*Package) []Breach {
	var out []Breach
	for _, rule := range []func([]*Package) []Breach{
		layers, mutual, names, docs, sizes, shape,
	} {
		out = append(out, rule(pkgs)...)
	}
	sort.SliceStable(out, func(i, j int) bool {
		if out[i].Subject != out[j].Subject {
			return out[i].Subject < out[j].Subject
		}
		return out[i].Rule < out[j].Rule
	})
	return out
}
