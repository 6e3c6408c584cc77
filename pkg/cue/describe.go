package cue

import (
	"context"

	cuelang "cuelang.org/go/cue"

	"github.com/seed-c5f95f19/vela/pkg/cue/schema"
)

// Schema describes `parameter` as OpenAPI v3. Every template has one; a
// template without parameter has an empty object.
func (t *Template) Schema() (*schema.Schema, error) {
	if !t.facts.Parameter {
		return &schema.Schema{Type: "object"}, nil
	}
	if t.remote != nil {
		var s *schema.Schema
		err := t.judge("", func() (err error) { s, err = t.remote.Schema(); return err })
		return s, err
	}
	c, err := t.compiled()
	if err != nil {
		return nil, err
	}
	var s *schema.Schema
	err = t.guard(context.Background(), func() {
		s = schema.Of(c.value.LookupPath(pathParameter), func(v cuelang.Value) (any, error) { return decode(v, "", 0) })
	})
	return s, err
}
