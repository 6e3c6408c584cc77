package preview

import (
	"context"

	"github.com/seed-c5f95f19/vela/pkg/cue/provider/http"
	"github.com/seed-c5f95f19/vela/pkg/delivery/blueprint"
	"github.com/seed-c5f95f19/vela/pkg/delivery/referred"
)

// objects finds what components refer to: among the documents, in the folders of
// definitions, then in the clusters with the rights of the user.
type objects struct{ of *Preview }

// Find implements blueprint.Objects.
func (o objects) Find(ctx context.Context, namespace string, c blueprint.Component) ([]map[string]any, error) {
	p := o.of
	files, err := referred.Read(p.from.DefinitionDirs...)
	if err != nil {
		return nil, err
	}
	for _, doc := range p.documents {
		files = append(files, *doc.Object)
	}
	finder := referred.Finder{Sources: []referred.Source{files}, Fetch: referred.Web(http.NewClient(nil, nil))}
	if p.Client != nil {
		clusters, err := p.from.Factory.Clusters()
		if err != nil {
			return nil, err
		}
		finder.Sources = append(finder.Sources, referred.Clusters{Get: clusters.Get})
	}
	return finder.Find(ctx, namespace, c)
}
