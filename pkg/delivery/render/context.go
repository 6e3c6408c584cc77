package render

import (
	"github.com/seed-c5f95f19/vela/pkg/delivery/blueprint"
	"github.com/seed-c5f95f19/vela/pkg/delivery/manifest"
	"github.com/seed-c5f95f19/vela/pkg/oam"
)

// fields returns the context of the component template: those fields that reads
// names, all of them when all is set. What only some traits see is added when
// their turn comes.
func (req Request) fields(reads map[string]bool, all bool) map[string]any {
	app := req.Blueprint.App
	c := req.Component
	out := map[string]any{
		"name": c.Name, "namespace": req.Namespace, "appName": app.Name,
		"appRevision": req.RevisionName, "appRevisionNum": req.RevisionNumber,
		"appLabels": stringMap(app.Labels), "appAnnotations": stringMap(app.Annotations),
		"publishVersion": app.PublishVersion, "workflowName": WorkflowName(req.Blueprint),
		"replicaKey": c.ReplicaKey, "cluster": req.Cluster,
		"clusterVersion": req.ClusterVersion.Fields(),
	}
	for name := range out {
		if !all && !reads[name] {
			delete(out, name)
		}
	}
	if custom := req.Blueprint.Custom(); custom != nil && (all || reads["custom"]) {
		out["custom"] = custom
	}
	if all || reads["components"] {
		out["components"] = components(req.Blueprint.Components)
	}
	if all || reads["revision"] {
		out["revision"] = req.revision()
	}
	return out
}

// revision names the content of a component: it stays while the component does.
// What is not stored as a revision has no name for its components either.
func (req Request) revision() string {
	c := req.Component
	if req.RevisionName == "" || req.Cluster == "" {
		return ""
	}
	return c.Name + "-" + manifest.Digest([]any{c.Type, c.Properties, traitValues(c.Traits)})[:10]
}

// WorkflowName is what templates see as context.workflowName.
func WorkflowName(b *blueprint.Blueprint) string {
	if name := b.App.Annotations[oam.AnnotationWorkflowName]; name != "" {
		return name
	}
	return b.Workflow.Ref
}

func components(in []blueprint.Component) []any {
	out := make([]any, 0, len(in))
	for _, c := range in {
		v := map[string]any{"name": c.Name, "type": c.Type}
		if c.Properties != nil {
			v["properties"] = c.Properties
		}
		if len(c.Traits) > 0 {
			v["traits"] = traitValues(c.Traits)
		}
		if len(c.DependsOn) > 0 {
			deps := make([]any, len(c.DependsOn))
			for i, d := range c.DependsOn {
				deps[i] = d
			}
			v["dependsOn"] = deps
		}
		out = append(out, v)
	}
	return out
}

func traitValues(in []blueprint.Trait) []any {
	out := make([]any, 0, len(in))
	for _, t := range in {
		v := map[string]any{"type": t.Type}
		if t.Properties != nil {
			v["properties"] = t.Properties
		}
		out = append(out, v)
	}
	return out
}

func stringMap(in map[string]string) map[string]any {
	out := make(map[string]any, len(in))
	for k, v := range in {
		out[k] = v
	}
	return out
}
