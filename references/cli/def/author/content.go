package author

import (
	"context"
	"errors"
	"fmt"
	"io"

	"go.yaml.in/yaml/v3"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/seed-c5f95f19/vela/pkg/cue"
	"github.com/seed-c5f95f19/vela/references/cli/console"
)

// Content is an object without what only a server knows.
func Content(obj runtime.Object) (map[string]any, error) {
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(obj)
	if err != nil {
		return nil, err
	}
	for _, field := range []string{"creationTimestamp", "managedFields", "resourceVersion", "uid", "generation", "selfLink"} {
		unstructured.RemoveNestedField(content, "metadata", field)
	}
	unstructured.RemoveNestedField(content, "status")
	return content, nil
}

// Valid reads definitions and vets them. Warnings are told, and what only shows
// with made-up properties: a definition that users have may be written for those
// that they give. Anything worse is the error.
func Valid(ctx context.Context, io console.IO, s cue.Sandbox, names ...string) ([]Definition, error) {
	defs, err := Read(ctx, io.In, names...)
	if err != nil {
		return nil, err
	}
	var errs []error
	engines := NewEngines(s)
	for _, d := range defs {
		problems := d.Vet(ctx, engines)
		for i, p := range problems {
			if p.Warning || p.Tried {
				problems[i].Warning = true
				p.Warning = false
				io.Warnf("%s", p.Error())
			}
		}
		errs = append(errs, Join(problems))
	}
	return defs, errors.Join(errs...)
}

// YAML writes an object with templates line by line, as people read them.
func YAML(w io.Writer, value any) error {
	encoder := yaml.NewEncoder(w)
	encoder.SetIndent(2)
	if err := encoder.Encode(value); err != nil {
		return fmt.Errorf("write YAML: %w", err)
	}
	return encoder.Close()
}
