// Package charts carries the Helm chart of the control plane inside the
// binaries, so that vela-core and vela-local can install the API without Helm.
// It only hands out what is in the folders below; it decides nothing.
package charts

import (
	"bytes"
	"embed"
	"fmt"
	"io/fs"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/util/yaml"
)

//go:embed all:vela-core
var files embed.FS

// VelaCore returns the chart as a file system. Its root is the folder of
// Chart.yaml.
func VelaCore() (fs.FS, error) {
	return fs.Sub(files, "vela-core")
}

// CRDs returns the definitions of every kind of the API, sorted by name. Each
// call decodes them anew: the caller may modify them.
func CRDs() ([]*apiextensionsv1.CustomResourceDefinition, error) {
	names, err := fs.Glob(files, "vela-core/crds/*.yaml")
	if err != nil {
		return nil, fmt.Errorf("list embedded CRDs: %w", err)
	}
	crds := make([]*apiextensionsv1.CustomResourceDefinition, 0, len(names))
	for _, name := range names {
		data, err := files.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("read embedded CRD: %w", err)
		}
		crd := &apiextensionsv1.CustomResourceDefinition{}
		if err := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(data), len(data)+1).Decode(crd); err != nil {
			return nil, fmt.Errorf("decode %s: %w", name, err)
		}
		crds = append(crds, crd)
	}
	return crds, nil
}
