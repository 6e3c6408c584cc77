package patch

import (
	"encoding/json"
	"fmt"

	jsonpatch "gopkg.in/evanphx/json-patch.v4"

	"github.com/seed-c5f95f19/vela/pkg/cue/provider"
)

// jsonMerge applies a whole patch by RFC 7396: null deletes.
func jsonMerge(base map[string]any, p Patch) (map[string]any, error) {
	m := merger{by: p.by}
	v, err := m.create(p.root, "")
	if err != nil {
		return nil, err
	}
	merged := mergeValue(any(base), v)
	out, ok := merged.(map[string]any)
	if !ok {
		return nil, m.conflict("patch", base, merged)
	}
	return out, nil
}

func mergeValue(base, change any) any {
	c, ok := change.(map[string]any)
	if !ok {
		return change
	}
	b, _ := base.(map[string]any)
	out := make(map[string]any, len(b)+len(c))
	for k, v := range b {
		out[k] = v
	}
	for k, v := range c {
		if v == nil {
			delete(out, k)
			continue
		}
		out[k] = mergeValue(out[k], v)
	}
	return out
}

// jsonPatch applies the operations of a whole patch by RFC 6902.
func jsonPatch(base map[string]any, p Patch) (map[string]any, error) {
	m := merger{by: p.by}
	fail := func(why string) error { return &Conflict{Path: "patch.operations", WantBy: p.by, Explanation: why} }
	v, err := m.create(p.root, "")
	if err != nil {
		return nil, err
	}
	obj, _ := v.(map[string]any)
	ops, err := json.Marshal(obj["operations"])
	if err != nil {
		return nil, fail(err.Error())
	}
	before, err := json.Marshal(base)
	if err != nil {
		return nil, fail(err.Error())
	}
	decoded, err := jsonpatch.DecodePatch(ops)
	if err != nil {
		return nil, fail("is not a list of JSON patch operations")
	}
	after := before
	for i, op := range decoded {
		if after, err = (jsonpatch.Patch{op}).Apply(after); err != nil {
			path, _ := op.Path() // shown as far as it is there
			return nil, fail(fmt.Sprintf("operation %d (%s %s) does not fit the object", i+1, op.Kind(), path))
		}
	}
	out, err := provider.Unmarshal(after)
	if err != nil {
		return nil, fail(err.Error())
	}
	res, ok := out.(map[string]any)
	if !ok {
		return nil, m.conflict("patch", base, out)
	}
	return res, nil
}
