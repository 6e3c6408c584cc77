package definition

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
)

// ParseYAML returns the definitions among the documents of a YAML or JSON
// text as typed objects. Documents of other kinds are skipped.
func ParseYAML(data []byte) ([]client.Object, error) {
	var objs []client.Object
	dec := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(data), 4096)
	for i := 1; ; i++ {
		u := &unstructured.Unstructured{}
		err := dec.Decode(&u.Object)
		if errors.Is(err, io.EOF) {
			return objs, nil
		}
		if err != nil {
			return nil, fmt.Errorf("document %d: %w", i, err)
		}
		if !IsDefinition(u) {
			continue
		}
		obj, err := typedOf(u)
		if err != nil {
			return nil, fmt.Errorf("document %d: %w", i, err)
		}
		objs = append(objs, obj)
	}
}

// IsDefinition reports whether an object of unknown type is of one of the
// kinds that FromObject reads.
func IsDefinition(u *unstructured.Unstructured) bool {
	gvk := u.GroupVersionKind()
	return gvk.Group == v1beta1.Group && emptyOf(gvk.Kind) != nil
}
