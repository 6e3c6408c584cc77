package page

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"regexp"
	"strings"

	"github.com/seed-c5f95f19/vela/references/cli/console"
)

// title names a table for people.
func (t Table) title() string {
	if t.Path == "" {
		return "Parameters"
	}
	return t.Path
}

// words says of a row what the columns behind its type say.
func (r Row) words() (required, byDefault string) {
	required = "no"
	if r.Required {
		required = "yes"
	}
	if r.Immutable {
		required += ", immutable"
	}
	return required, r.Default
}

// typ is the type with where its parts are described.
func (r Row) typ() string {
	if r.Below != "" {
		return r.Type + ", see " + r.Below
	}
	return r.Type
}

// Terminal writes the page for a terminal.
func (p Page) Terminal(w io.Writer, style console.Style) {
	fmt.Fprintf(w, "%s (%s)\n", style.Bold(p.Name), p.Kind)
	if p.Deprecated {
		fmt.Fprintln(w, style.Wait("deprecated"))
	}
	if p.Alias != "" {
		fmt.Fprintf(w, "Also called %s\n", p.Alias)
	}
	if p.Description != "" {
		fmt.Fprintf(w, "%s\n", p.Description)
	}
	for i, f := range p.Facts {
		if i == 0 {
			fmt.Fprintln(w)
		}
		fmt.Fprintf(w, "%s: %s\n", f.Label, f.Value)
	}
	if p.Example != "" {
		fmt.Fprintf(w, "\n%s\n", style.Bold("Example"))
		for line := range strings.Lines(p.Example) {
			fmt.Fprintf(w, "  %s", line)
		}
	}
	for _, t := range p.Tables {
		fmt.Fprintf(w, "\n%s\n", style.Bold(t.title()))
		if len(t.Rows) == 0 {
			fmt.Fprintln(w, "  none")
			continue
		}
		table := &console.Table{Indent: "  ", Header: []string{"NAME", "TYPE", "REQUIRED", "DEFAULT", "DESCRIPTION"}}
		for _, r := range t.Rows {
			required, byDefault := r.words()
			table.Add(r.Name, r.typ(), required, byDefault, r.Description)
		}
		table.Print(w)
	}
}

// Markdown writes the page for a web site: plain tables, links between them.
func (p Page) Markdown(w io.Writer) {
	fmt.Fprintf(w, "# %s\n\n", p.Name)
	if p.Deprecated {
		fmt.Fprint(w, "**Deprecated.** ")
	}
	if p.Description != "" || p.Deprecated {
		fmt.Fprintf(w, "%s\n\n", strings.TrimSpace(p.Description))
	}
	fmt.Fprintf(w, "- Kind: %s\n", p.Kind)
	if p.Alias != "" {
		fmt.Fprintf(w, "- Also called: %s\n", p.Alias)
	}
	for _, f := range p.Facts {
		fmt.Fprintf(w, "- %s: %s\n", f.Label, f.Value)
	}
	if p.Example != "" {
		fmt.Fprintf(w, "\n## Example\n\n```yaml\n%s```\n", p.Example)
	}
	for _, t := range p.Tables {
		level := "##"
		if t.Path != "" {
			level = "###"
		}
		fmt.Fprintf(w, "\n%s %s\n\n", level, t.title())
		if len(t.Rows) == 0 {
			fmt.Fprintln(w, "None.")
			continue
		}
		fmt.Fprint(w, "| Name | Type | Required | Default | Description |\n|---|---|---|---|---|\n")
		for _, r := range t.Rows {
			required, byDefault := r.words()
			typ := cell(r.Type)
			if r.Below != "" {
				typ = "[" + typ + "](#" + anchor(r.Below) + ")"
			}
			fmt.Fprintf(w, "| %s | %s | %s | %s | %s |\n", r.Name, typ, required, cell(byDefault), cell(r.Description))
		}
	}
}

// cell keeps a text inside its cell.
func cell(s string) string {
	return strings.NewReplacer("|", `\|`, "\n", " ", "<", "&lt;").Replace(s)
}

var notInAnchor = regexp.MustCompile(`[^a-z0-9 _-]`)

// anchor is how web sites call the heading of a table.
func anchor(path string) string {
	return strings.ReplaceAll(notInAnchor.ReplaceAllString(strings.ToLower(path), ""), " ", "-")
}

//go:embed page.html
var html string

// HTML writes one web page with several definitions and a list of them.
func HTML(w io.Writer, title string, pages []Page) error {
	t, err := template.New("page").Funcs(template.FuncMap{
		"anchor": anchor,
		"title":  Table.title,
		"id":     func(p Page) string { return anchor(string(p.Kind) + "-" + p.Name) },
		"yes":    func(r Row) string { required, _ := r.words(); return required },
	}).Parse(html)
	if err != nil {
		return fmt.Errorf("page: %w", err)
	}
	return t.Execute(w, map[string]any{"Title": title, "Pages": pages})
}
