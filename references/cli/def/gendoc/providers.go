package gendoc

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/seed-c5f95f19/vela/pkg/cue/provider"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider/all"
	"github.com/seed-c5f95f19/vela/references/cli/console"
	"github.com/seed-c5f95f19/vela/references/cli/def/page"
)

// providers describes packages: those that come with vela, by their import path,
// and files with the text of others.
func (o *Options) providers() error {
	schemas, err := o.schemas()
	if err != nil {
		return err
	}
	var pages []page.Page
	for _, s := range schemas {
		p, err := page.Provider(s)
		if err != nil {
			return err
		}
		pages = append(pages, p)
	}
	if o.Output == "" {
		return o.print(pages)
	}
	for i := range pages { // a path is no name for a file
		pages[i].Name = strings.ReplaceAll(pages[i].Name, "/", "-")
	}
	return o.write(pages)
}

func (o *Options) schemas() ([]provider.Schema, error) {
	ours := all.WorkflowSchemas()
	slices.SortFunc(ours, func(a, b provider.Schema) int { return strings.Compare(a.Path, b.Path) })
	if len(o.Names) == 0 {
		return ours, nil
	}
	var out []provider.Schema
	for _, name := range o.Names {
		i := slices.IndexFunc(ours, func(s provider.Schema) bool { return s.Path == name })
		if i >= 0 {
			out = append(out, ours[i])
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, console.Hint(fmt.Errorf("%q is no package of vela and no file", name), "see which packages there are: vela def gen-doc --type provider")
		}
		out = append(out, provider.Schema{Path: strings.TrimSuffix(name, ".cue"), Text: string(text)})
	}
	return out, nil
}
