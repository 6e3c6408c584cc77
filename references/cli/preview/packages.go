package preview

import (
	"context"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/yaml"

	cuev1alpha1 "github.com/seed-c5f95f19/vela/apis/cue.oam.dev/v1alpha1"
	"github.com/seed-c5f95f19/vela/pkg/cue"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider/external"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider/http"
	"github.com/seed-c5f95f19/vela/references/cli/source"
)

// imported are the Package objects that templates can import: those among the
// documents, then those in the folders with definitions, then the cluster's. A
// wrong one is a note, and an error only for who imports it.
type imported struct {
	objects  []cuev1alpha1.Package
	packages []external.Package
	notes    []string
}

// add takes a document.
func (i *imported) add(doc source.Document) error {
	o := cuev1alpha1.Package{}
	if _, err := doc.Decode(&o); err != nil {
		return err
	}
	i.objects = append(i.objects, o)
	return nil
}

// addFiles takes the Packages in a file or folder.
func (i *imported) addFiles(path string) error {
	return filepath.WalkDir(path, func(file string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		switch filepath.Ext(file) {
		case ".yaml", ".yml", ".json":
			return i.addFile(file)
		}
		return nil
	})
}

func (i *imported) addFile(file string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	dec := yaml.NewYAMLOrJSONDecoder(f, 4096)
	for {
		var raw runtime.RawExtension
		if err := dec.Decode(&raw); err != nil {
			return nil //nolint:nilerr // the end, or what the reader of definitions complains about
		}
		o := cuev1alpha1.Package{}
		if err := yaml.Unmarshal(raw.Raw, &o.TypeMeta); err != nil || o.GroupVersionKind() != cuev1alpha1.GroupVersion.WithKind(cuev1alpha1.PackageKind) {
			continue
		}
		if err := yaml.UnmarshalStrict(raw.Raw, &o); err != nil {
			return fmt.Errorf("%s: Package %q: %w", file, o.Name, err)
		}
		i.objects = append(i.objects, o)
	}
}

// offer lets the engines import the packages. What the user has at hand goes
// before what the cluster has under the same path.
func (p *Preview) offer(ctx context.Context, engines engines) error {
	i := &p.imported
	for _, dir := range p.from.DefinitionDirs {
		if err := i.addFiles(dir); err != nil {
			return fmt.Errorf("read Packages: %w", err)
		}
	}
	var problems []external.Problem
	i.packages, problems = external.Read(i.objects)
	for _, problem := range problems {
		i.notes = append(i.notes, fmt.Sprintf("Package %q cannot be imported: %v", problem.Object.Name, problem.Err))
	}
	if err := p.offerInstalled(ctx); err != nil {
		return err
	}
	schemas := make([]provider.Schema, len(i.packages))
	for n, pkg := range i.packages {
		schemas[n] = pkg.Schema
	}
	for _, e := range []*cue.Engine{engines.components, engines.steps} {
		e.SetPackages(schemas)
	}
	return nil
}

// offerInstalled adds the Packages of the cluster, whose problems are shown there.
func (p *Preview) offerInstalled(ctx context.Context) error {
	if p.Client == nil {
		return nil
	}
	list := &cuev1alpha1.PackageList{}
	if err := p.Client.List(ctx, list); err != nil {
		if meta.IsNoMatchError(err) {
			return nil
		}
		return fmt.Errorf("list Packages: %w", err)
	}
	known := map[string]bool{}
	for _, pkg := range p.imported.packages {
		known[pkg.Schema.Path] = true
	}
	installed, _ := external.Read(list.Items)
	for _, pkg := range installed {
		if !known[pkg.Schema.Path] {
			p.imported.packages = append(p.imported.packages, pkg)
		}
	}
	return nil
}

// functions execute what the packages declare. Their servers may run on the
// user's own machine; offline no others are asked.
func (i *imported) functions(offline bool) []provider.Package {
	client := http.NewClient(func(ip netip.Addr) error {
		switch {
		case ip.Unmap().IsLoopback():
			return nil
		case offline:
			return fmt.Errorf("offline, only servers on this machine are asked, not %s", ip)
		}
		return http.Guard(ip)
	}, nil)
	out := make([]provider.Package, len(i.packages))
	for n, pkg := range i.packages {
		out[n] = pkg.Actions(client)
	}
	return out
}
