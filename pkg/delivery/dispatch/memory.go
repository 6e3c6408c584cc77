package dispatch

import (
	"sync"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/seed-c5f95f19/vela/pkg/delivery/manifest"
	"github.com/seed-c5f95f19/vela/pkg/delivery/plan"
)

// memory is what servers made of manifests: defaulted and normalised values, and
// what admission changed. It is lost with the process; then values are compared
// with what was wanted until the next write.
type memory struct {
	mu      sync.Mutex
	answers map[manifest.Key]answer
}

type answer struct {
	digest     string // of the manifest
	projection string // of the answer
	version    string // resourceVersion that was last found to have that projection
}

func (m *memory) remember(a plan.Apply, obj *unstructured.Unstructured) {
	if a.Manifest.Digest() != a.Digest {
		return // some fields were the cluster's
	}
	projection := plan.Projection(a.Manifest.Object, obj)
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.answers == nil {
		m.answers = map[manifest.Key]answer{}
	}
	m.answers[a.Manifest.Key] = answer{digest: a.Digest, projection: projection, version: obj.GetResourceVersion()}
}

// judge says whether obj is what the server made of this very manifest.
func (m *memory) judge(want manifest.Manifest, obj *unstructured.Unstructured) (converged, drifted bool) {
	m.mu.Lock()
	known, ok := m.answers[want.Key]
	m.mu.Unlock()
	if !ok || known.digest != want.Digest() {
		return false, false
	}
	version := obj.GetResourceVersion()
	if version == known.version {
		return true, false
	}
	if plan.Projection(want.Object, obj) != known.projection {
		return false, true
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if now := m.answers[want.Key]; now == known {
		known.version = version
		m.answers[want.Key] = known
	}
	return true, false
}

func (m *memory) forget(keys []manifest.Key) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, k := range keys {
		delete(m.answers, k)
	}
}
