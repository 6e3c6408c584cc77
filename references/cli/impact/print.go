package impact

import (
	"fmt"
	"slices"
	"strings"

	"github.com/seed-c5f95f19/vela/references/cli/console"
	"github.com/seed-c5f95f19/vela/references/cli/planview"
)

// Write writes the report in the format that -o names; "" is for people.
func (r *Report) Write(io console.IO, output string) error {
	switch output {
	case "json":
		return console.JSON(io.Out, r)
	case "yaml":
		return console.YAML(io.Out, r)
	}
	p := printer{io: io, style: io.OutStyle()}
	p.summary(r)
	p.failures("could not be rendered any more", r.Broken)
	p.failures("cannot be rendered today, and could not be then", r.Already)
	if len(r.Mended) > 0 {
		p.linef("\n%s that cannot be rendered today could be: %s", console.Count(len(r.Mended), "Application"), some(r.Mended))
	}
	for _, similar := range shapes(r.Groups) {
		p.group(similar)
	}
	p.end(r)
	return nil
}

type printer struct {
	io    console.IO
	style console.Style
}

func (p printer) linef(format string, args ...any) { fmt.Fprintf(p.io.Out, format+"\n", args...) }

func (p printer) summary(r *Report) {
	subject := fmt.Sprintf("%s %s: ", r.Kind, r.Name)
	if r.Used == 0 {
		p.linef("%snone of %s uses it", subject, console.Count(r.Applications, "Application"))
	} else {
		parts := []string{fmt.Sprintf("%d would change", r.Changed)}
		broken := count(r.Broken)
		if same := r.Used - r.Changed - broken - count(r.Already) - len(r.Mended); same > 0 {
			parts = append(parts, fmt.Sprintf("%d would not", same))
		}
		if broken > 0 {
			parts = append(parts, p.style.Bad(fmt.Sprintf("%d could not be rendered any more", broken)))
		}
		p.linef("%sused by %d of %s: %s", subject, r.Used, console.Count(r.Applications, "Application"), strings.Join(parts, ", "))
	}
	if len(r.Pinned) > 0 {
		p.linef("Not touched, because another version or a definition of the own namespace is named: %s", some(r.Pinned))
	}
}

func count(all []Failure) int {
	n := 0
	for _, f := range all {
		n += len(f.Applications)
	}
	return n
}

func (p printer) failures(what string, all []Failure) {
	for _, f := range all {
		p.linef("\n%s %s %s (%s)", p.style.Bad("✗"), console.Count(len(f.Applications), "Application"), what, some(f.Applications))
		for line := range strings.Lines(f.Message) {
			p.linef("    %s", strings.TrimRight(line, "\n"))
		}
		if len(f.Places) > 0 {
			p.linef("    %s", p.style.Dim("at "+some(f.Places)))
		}
	}
}

// shapes puts the groups together that change the same fields.
func shapes(groups []Group) [][]Group {
	var out [][]Group
	at := map[string]int{}
	for _, g := range groups {
		i, ok := at[g.shape()]
		if !ok {
			i = len(out)
			at[g.shape()] = i
			out = append(out, nil)
		}
		out[i] = append(out[i], g)
	}
	slices.SortStableFunc(out, func(a, b []Group) int { return len(users(b)) - len(users(a)) })
	return out
}

// users are the Applications of groups, each once.
func users(groups []Group) []string {
	var out []string
	for _, g := range groups {
		out = append(out, g.Applications...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func (p printer) group(similar []Group) {
	first := similar[0]
	sign := p.style.Wait("~")
	switch first.Action {
	case "create":
		sign = p.style.Good("+")
	case "delete":
		sign = p.style.Bad("-")
	}
	from := ""
	if first.Trait != "" {
		from = ", trait " + first.Trait
	}
	names := users(similar)
	p.linef("\n%s %s %s%s: in %s (%s)", sign, first.Kind, first.Name, from, console.Count(len(names), "Application"), some(names))
	printer := planview.Printer{Style: p.style}
	for i, c := range first.Changes {
		p.linef("    %s%s", printer.Change(c), p.others(similar, i))
	}
	if len(similar) > 1 && len(first.Changes) == 0 {
		p.linef("    %s", p.style.Dim(fmt.Sprintf("with %d different contents", len(similar))))
	}
}

// others says that the field changes to other values elsewhere.
func (p printer) others(similar []Group, i int) string {
	different := map[string]bool{}
	for _, g := range similar {
		different[Difference{Changes: g.Changes[i : i+1]}.key()] = true
	}
	if len(different) == 1 {
		return ""
	}
	return p.style.Dim(fmt.Sprintf("  and %s like it", console.Count(len(different)-1, "other")))
}

func (p printer) end(r *Report) {
	p.linef("")
	if len(r.Rules) > 0 {
		p.linef("Health and status: %s changed; it judges what is there as soon as it is installed.", strings.Join(r.Rules, ", "))
	}
	if r.Kind == "workflow-step" && r.Used > 0 {
		p.linef("What a step does is known when it runs; its properties were checked.")
	}
	var when []string
	for _, f := range []struct {
		n    int
		text string
	}{
		{r.Follow.AtOnce, "at once (app.oam.dev/autoUpdate)"},
		{r.Follow.NextChange, "with the next change of their spec"},
		{r.Follow.Publish, "with the next app.oam.dev/publishVersion"},
	} {
		if f.n > 0 {
			when = append(when, fmt.Sprintf("%d %s", f.n, f.text))
		}
	}
	if len(when) > 0 {
		p.linef("When Applications follow: %s.", strings.Join(when, ", "))
	}
	p.linef("Nothing was changed.")
}

// some names the first few.
func some(names []string) string {
	const most = 3
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}
