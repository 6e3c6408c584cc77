// Package external makes packages of Package objects: CUE texts that templates
// can import, whose functions a server executes.
//
// It reads objects and sends the calls; it knows no cluster. pkg/controller/packages
// watches the objects, and the command line reads them from files. A Package
// that is wrong is a Problem of its own and leaves the others as they are.
package external

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	cuev1alpha1 "github.com/seed-c5f95f19/vela/apis/cue.oam.dev/v1alpha1"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider"
	velahttp "github.com/seed-c5f95f19/vela/pkg/cue/provider/http"
	"github.com/seed-c5f95f19/vela/pkg/cue/text"
	"github.com/seed-c5f95f19/vela/pkg/oam"
)

// A Package is one that can be imported.
type Package struct {
	Namespace, Name string
	Schema          provider.Schema

	server *server
	calls  []call
	names  []string // what a template can refer to
}

// Probe returns a template that uses everything that the package has.
func (p Package) Probe() string {
	var b strings.Builder
	fmt.Fprintf(&b, "import probed %q\n", p.Schema.Path)
	for i, name := range p.names {
		fmt.Fprintf(&b, "use%d: probed.%s\n", i, name)
	}
	return b.String()
}

// A Problem says why a Package cannot be imported.
type Problem struct {
	Object *cuev1alpha1.Package
	Err    error
}

// Read makes packages of objects, in the order of their paths. Of two for one
// path that of the system's namespace counts, then the older one: who comes later
// takes nothing away.
func Read(objects []cuev1alpha1.Package) ([]Package, []Problem) {
	sorted := make([]*cuev1alpha1.Package, len(objects))
	for i := range objects {
		sorted[i] = &objects[i]
	}
	slices.SortFunc(sorted, before)
	var out []Package
	var problems []Problem
	taken := map[string]*cuev1alpha1.Package{}
	for _, o := range sorted {
		p, err := read(o)
		if first := taken[o.Spec.Path]; err == nil && first != nil {
			err = fmt.Errorf("the path %q is that of the Package %s/%s already", o.Spec.Path, first.Namespace, first.Name)
		}
		if err != nil {
			problems = append(problems, Problem{o, err})
			continue
		}
		taken[o.Spec.Path] = o
		out = append(out, p)
	}
	return out, problems
}

func before(a, b *cuev1alpha1.Package) int {
	if c := strings.Compare(a.Spec.Path, b.Spec.Path); c != 0 {
		return c
	}
	if a.Namespace != b.Namespace {
		for i, o := range []*cuev1alpha1.Package{a, b} {
			if o.Namespace == oam.SystemNamespace {
				return i*2 - 1
			}
		}
	}
	if c := a.CreationTimestamp.Compare(b.CreationTimestamp.Time); c != 0 {
		return c
	}
	return strings.Compare(a.Namespace+"/"+a.Name, b.Namespace+"/"+b.Name)
}

// read makes a package of one object.
func read(o *cuev1alpha1.Package) (Package, error) {
	p := Package{Namespace: o.Namespace, Name: o.Name}
	if err := checkPath(o.Spec.Path); err != nil {
		return p, fmt.Errorf("spec.path: %w", err)
	}
	if o.Spec.Provider != nil {
		s, err := serverOf(o)
		if err != nil {
			return p, err
		}
		p.server = s
	}
	joined, err := join(o.Spec.Templates, o.Name, p.provider())
	if err != nil {
		return p, err
	}
	if len(joined.calls) > 0 && p.server == nil {
		return p, errors.New("spec.provider: there are functions, and nothing says who executes them")
	}
	p.Schema, p.calls, p.names = provider.Schema{Path: o.Spec.Path, Text: joined.text}, joined.calls, joined.names
	return p, nil
}

// provider is the #provider of the functions inside: the name of the object may
// be that of another one elsewhere, or of a package that comes with the program.
func (p Package) provider() string { return p.Namespace + "/" + p.Name }

func checkPath(path string) error {
	elements := strings.Split(path, "/")
	switch {
	case path == "" || slices.Contains(elements, "") || strings.ContainsAny(path, `":\ `+"\t\n"):
		return fmt.Errorf("expected an import path such as ext/utils, got %q", path)
	case len(elements) < 2:
		return fmt.Errorf("expected an import path of two elements such as ext/%s, got %q", path, path)
	case elements[0] == "vela":
		return fmt.Errorf("%q belongs to the packages that come with the program", path)
	case text.IsBuiltin(path):
		return fmt.Errorf("%q belongs to the library of CUE", path)
	}
	return nil
}

// A server executes the functions of a package.
type server struct {
	endpoint *url.URL
	options  velahttp.FetchOptions
	effects  bool
}

func serverOf(o *cuev1alpha1.Package) (*server, error) {
	if p := o.Spec.Provider.Protocol; p != cuev1alpha1.ProtocolHTTP {
		return nil, fmt.Errorf("spec.provider.protocol: only %q is supported, got %q", cuev1alpha1.ProtocolHTTP, p)
	}
	u, err := url.Parse(o.Spec.Provider.Endpoint)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, errors.New("spec.provider.endpoint: expected an address such as https://functions.example.com/v1")
	}
	return &server{
		endpoint: u,
		options: velahttp.FetchOptions{
			CA:       []byte(o.Annotations[oam.AnnotationPackageCA]),
			Insecure: o.Annotations[oam.AnnotationPackageInsecure] == "true",
		},
		effects: o.Annotations[oam.AnnotationPackageEffects] == "true",
	}, nil
}

// Actions returns the package with what executes its functions. Functions with
// effects are offered to workflow steps only.
func (p Package) Actions(client *velahttp.Client) provider.Package {
	out := provider.Package{Name: p.provider(), Path: p.Schema.Path, Schema: p.Schema.Text, Read: provider.Actions{}, Write: provider.Actions{}}
	if p.server == nil || client == nil {
		return out
	}
	offered := out.Read
	if p.server.effects {
		offered = out.Write
	}
	for _, c := range p.calls {
		offered[c.do] = func(ctx context.Context, in provider.Call) (any, error) {
			return p.server.execute(ctx, client, c.do, in.Params)
		}
	}
	return out
}

// execute sends the parameters of a function and returns what the server says.
func (s *server) execute(ctx context.Context, client *velahttp.Client, do string, params any) (any, error) {
	body, err := json.Marshal(params)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.endpoint.JoinPath(do).String(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	answer, err := client.Fetch(ctx, req, s.options)
	if err != nil {
		return nil, err
	}
	if answer.Status < 200 || answer.Status > 299 {
		return nil, fmt.Errorf("function %q: the server answers with status %d: %s", do, answer.Status, firstLine(answer.Body))
	}
	v, err := provider.Unmarshal(answer.Body)
	if err != nil {
		return nil, fmt.Errorf("function %q: the answer of the server is not JSON", do)
	}
	return v, nil
}

// firstLine is what is shown of an answer.
func firstLine(body []byte) string {
	const most = 200
	line, _, _ := strings.Cut(strings.TrimSpace(string(body)), "\n")
	if len(line) > most {
		line = strings.ToValidUTF8(line[:most], "") + "..."
	}
	return line
}
