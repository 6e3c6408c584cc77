package impact

import (
	"context"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/seed-c5f95f19/vela/pkg/definition"
)

// A memory asks a source once for each name. It is safe for concurrent use.
type memory struct {
	source definition.Source

	mu    sync.Mutex
	found map[question]answer
}

type question struct {
	namespace string
	ref       definition.Ref
}

type answer struct {
	definition definition.Definition
	err        error
}

func remember(s definition.Source) *memory {
	return &memory{source: s, found: map[question]answer{}}
}

// Get implements definition.Source.
func (m *memory) Get(ctx context.Context, namespace string, ref definition.Ref) (definition.Definition, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	q := question{namespace, ref}
	a, ok := m.found[q]
	if !ok {
		a.definition, a.err = m.source.Get(ctx, namespace, ref)
		if ctx.Err() == nil {
			m.found[q] = a
		}
	}
	return a.definition, a.err
}

// Names implements definition.Source.
func (m *memory) Names(ctx context.Context, namespace string, kind definition.Kind) ([]string, error) {
	return m.source.Names(ctx, namespace, kind)
}

// A lens is what one Application sees of the definitions: those that are there,
// or with the changed one in its place. It notes how the definition was asked
// for. It belongs to one Application.
type lens struct {
	source  definition.Source
	changed definition.Definition
	replace bool

	used   bool // by a name that the changed definition answers
	pinned bool // by a version that stays what it is, or the namespace has its own
}

// Get implements definition.Source.
func (l *lens) Get(ctx context.Context, namespace string, ref definition.Ref) (definition.Definition, error) {
	if ref.Kind != l.changed.Kind || ref.Base() != l.changed.Name {
		return l.source.Get(ctx, namespace, ref)
	}
	now, err := l.source.Get(ctx, namespace, ref)
	if !l.answers(ref) || hidden(namespace, now, l.changed) {
		l.pinned = true
		return now, err
	}
	l.used = true
	if !l.replace {
		return now, err
	}
	return l.changed, nil
}

// answers says that the changed definition is what ref means: it has no version,
// or the beginning of the version that the changed definition has.
func (l *lens) answers(ref definition.Ref) bool {
	want := ref.Version()
	if want == "" {
		return true
	}
	have := version(l.changed.Object)
	want = strings.TrimPrefix(want, "v")
	return have != "" && (have == want || strings.HasPrefix(have, want+"."))
}

// hidden says that an Application in namespace does not see the changed
// definition: it lies in another namespace, or a definition of the own one goes
// before it.
func hidden(namespace string, now, changed definition.Definition) bool {
	if changed.Namespace == namespace {
		return false
	}
	return changed.Namespace != definition.SystemNamespace || now.Namespace == namespace
}

// version is spec.version of a definition.
func version(obj runtime.Object) string {
	fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(obj)
	if err != nil {
		return ""
	}
	v, _, _ := unstructured.NestedString(fields, "spec", "version")
	return v
}

// Names implements definition.Source.
func (l *lens) Names(ctx context.Context, namespace string, kind definition.Kind) ([]string, error) {
	return l.source.Names(ctx, namespace, kind)
}
