package render

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/fault"
)

// propertyConfig names the configuration of a component, as old versions of
// `vela config` stored it.
const propertyConfig = "config"

// configName is the ConfigMap that holds the configuration of the component; ""
// when it has none.
func (req Request) configName() string {
	name, _ := req.Component.Properties[propertyConfig].(string)
	if name == "" {
		return ""
	}
	return strings.Join([]string{"kubevela", req.Blueprint.App.Name, req.Component.Name, name}, "-")
}

// readConfig adds context.config for templates that read it.
func (j *job) readConfig(ctx context.Context) error {
	name := j.req.configName()
	if !j.readsConfig || name == "" || j.req.Config == nil {
		return nil
	}
	values, err := j.req.Config(ctx, name)
	if err != nil {
		return fault.Because(v1beta1.ReasonReferenceMissing,
			fmt.Errorf("component %q: read its config: %w", j.req.Component.Name, err), fault.At(j.req.Component.Origin.Property(propertyConfig)))
	}
	list := make([]any, 0, len(values))
	for _, k := range slices.Sorted(maps.Keys(values)) {
		list = append(list, map[string]any{"name": k, "value": values[k]})
	}
	j.fields[propertyConfig] = list
	return nil
}
