package kube

import (
	"context"
	"encoding/base64"
	"fmt"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
)

// Secrets reads the data of Secrets of the control plane through a Reader, and
// only those that the Reader gives. It implements http.Secrets.
type Secrets struct{ Reader Reader }

// Secret returns the data of a Secret.
func (s Secrets) Secret(ctx context.Context, namespace, name string) (map[string][]byte, error) {
	obj, err := s.Reader.Get(ctx, "", schema.GroupVersionKind{Version: "v1", Kind: "Secret"}, types.NamespacedName{Namespace: namespace, Name: name})
	if err != nil {
		return nil, err
	}
	data, _ := obj.Object["data"].(map[string]any)
	out := make(map[string][]byte, len(data))
	for key, value := range data {
		text, _ := value.(string)
		if out[key], err = base64.StdEncoding.DecodeString(text); err != nil {
			return nil, fmt.Errorf("key %q is not base64", key)
		}
	}
	return out, nil
}
