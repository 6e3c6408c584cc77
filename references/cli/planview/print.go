package planview

import (
	"fmt"
	"io"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/seed-c5f95f19/vela/references/cli/console"
)

// Write writes views in the format that -o names: json and yaml of one view are
// that view, of several a list.
func Write(io console.IO, output string, views []View) error {
	var data any = views
	if len(views) == 1 {
		data = views[0]
	}
	switch output {
	case "json":
		return console.JSON(io.Out, data)
	case "yaml":
		return console.YAML(io.Out, data)
	}
	printer := Printer{Style: io.OutStyle(), Wide: output == "wide"}
	for i, view := range views {
		if i > 0 {
			fmt.Fprintln(io.Out)
		}
		if len(views) > 1 {
			fmt.Fprintf(io.Out, "%s\n\n", printer.Style.Bold("Application "+view.Namespace+"/"+view.Application))
		}
		if err := printer.Print(io.Out, view); err != nil {
			return err
		}
	}
	return nil
}

// A Printer writes views for people.
type Printer struct {
	Style console.Style
	Wide  bool // created objects as a whole
}

// Print writes the view.
func (p Printer) Print(w io.Writer, v View) error {
	if len(v.Steps) == 0 {
		fmt.Fprintln(w, strings.ToUpper(Nothing[:1])+Nothing[1:])
	}
	for i, step := range v.Steps {
		if i > 0 {
			fmt.Fprintln(w)
		}
		if err := p.step(w, step); err != nil {
			return err
		}
	}
	return nil
}

func (p Printer) step(w io.Writer, s Step) error {
	head := p.Style.Bold("Step " + s.Name)
	if s.Waiting {
		head += "  " + p.Style.Wait("waits for approval")
	}
	fmt.Fprintf(w, "%s\n", head)
	if s.Digest != "" {
		fmt.Fprintf(w, "  %s  %s\n", p.Style.Dim("plan"), s.Digest)
	}
	if s.WaitsFor != "" && s.WaitsFor != s.Digest {
		fmt.Fprintf(w, "  %s\n", p.Style.Wait("the step still shows "+s.WaitsFor+": something changed since, it will show this plan and wait again"))
	}
	for _, c := range s.Clusters {
		if err := p.cluster(w, c); err != nil {
			return err
		}
	}
	for _, a := range s.KnownAfter {
		fmt.Fprintf(w, "  %s\n    ? component %s %s\n", place(a.Cluster, a.Namespace), a.Component, a.reason())
	}
	for _, r := range s.Refusals {
		object := Object{Group: r.Group, Kind: r.Kind, Namespace: r.Namespace, Name: r.Name}
		fmt.Fprintf(w, "  %s\n    %s %s: %s\n", r.Cluster, p.Style.Bad("!"), object.title(), r.Reason)
	}
	if s.Error != "" {
		fmt.Fprintf(w, "    %s %s\n", p.Style.Bad("!"), s.Error)
		return nil
	}
	fmt.Fprintf(w, "  %s\n", s.Summary)
	return nil
}

// reason says why a component cannot be planned yet.
func (a After) reason() string {
	switch {
	case len(a.Inputs) == 0:
		return "is delivered by a step that says what it delivers when it runs"
	case a.Step != "":
		return "is known after step " + a.Step + " (it needs " + strings.Join(a.Inputs, ", ") + ")"
	default:
		return "is known after another component (it needs " + strings.Join(a.Inputs, ", ") + ")"
	}
}

func place(cluster, namespace string) string {
	if namespace == "" {
		return cluster
	}
	return cluster + "/" + namespace
}

func (p Printer) cluster(w io.Writer, c Cluster) error {
	fmt.Fprintf(w, "  %s\n", p.Style.Bold(c.Name))
	for _, o := range c.Objects {
		if err := p.object(w, o); err != nil {
			return err
		}
	}
	if c.Unchanged > 0 {
		fmt.Fprintf(w, "    %s\n", p.Style.Dim(fmt.Sprintf("= %s as wanted", console.Count(c.Unchanged, "object"))))
	}
	return nil
}

// sign is how a line of that action begins.
func (p Printer) sign(action string) string {
	switch action {
	case "create":
		return p.Style.Good("+")
	case "delete":
		return p.Style.Bad("-")
	case "recreate":
		return p.Style.Bad("±")
	case "keep", "release", "forget":
		return p.Style.Dim("=")
	default:
		return p.Style.Wait("~")
	}
}

func (o Object) title() string {
	name := o.Name
	if o.Namespace != "" {
		name = o.Namespace + "/" + o.Name
	}
	return o.Kind + " " + name
}

func (p Printer) object(w io.Writer, o Object) error {
	line := p.sign(o.Action) + " " + o.title()
	var notes []string
	switch o.Action {
	case "create", "update", "delete":
	default:
		notes = append(notes, o.Action)
	}
	if o.Reason != "" {
		notes = append(notes, o.Reason)
	}
	if from := o.from(); from != "" {
		line += p.Style.Dim("  " + from)
	}
	if len(notes) > 0 {
		line += "  (" + strings.Join(notes, ": ") + ")"
	}
	fmt.Fprintf(w, "    %s\n", line)
	for _, change := range o.Changes {
		fmt.Fprintf(w, "        %s\n", p.Change(change))
	}
	if !p.Wide || o.Object == nil {
		return nil
	}
	data, err := yaml.Marshal(o.Object)
	if err != nil {
		return fmt.Errorf("print %s: %w", o.title(), err)
	}
	for text := range strings.Lines(string(data)) {
		fmt.Fprintf(w, "        %s", text)
	}
	return nil
}

// Change is one line about one field.
func (p Printer) Change(c Change) string {
	switch {
	case c.From == nil && c.To == nil:
		return c.Path
	case c.From == nil:
		return c.Path + ": " + p.Style.Good(value(c.To)) + " (new)"
	case c.To == nil:
		return c.Path + ": " + p.Style.Bad(value(c.From)) + " (goes)"
	default:
		return c.Path + ": " + p.Style.Bad(value(c.From)) + " → " + p.Style.Good(value(c.To))
	}
}

// from says which part of the Application an object belongs to.
func (o Object) from() string {
	switch {
	case o.Policy != "":
		return "policy " + o.Policy
	case o.Component == "":
		return ""
	case o.Trait != "":
		return "component " + o.Component + ", trait " + o.Trait
	}
	return "component " + o.Component
}
