package cluster

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// rediscoverAfter is how long an answer without the wanted kind is believed.
const rediscoverAfter = 250 * time.Millisecond

// A mapper knows the resource of each kind, learnt one API version at a time
// when it is first needed.
type mapper struct {
	fetch func(ctx context.Context, gv schema.GroupVersion) (*metav1.APIResourceList, error)
	now   func() time.Time

	mu       sync.Mutex
	versions map[schema.GroupVersion]discovered
}

type discovered struct {
	at    time.Time
	kinds map[string]meta.RESTMapping
}

// Mapping returns the resource of gvk. When the kind is not known it asks the
// server again, but not more often than rediscoverAfter; the error satisfies
// meta.IsNoMatchError then.
func (m *mapper) Mapping(ctx context.Context, gvk schema.GroupVersionKind) (meta.RESTMapping, error) {
	m.mu.Lock()
	defer m.mu.Unlock() // one question at a time; the others profit from the answer
	gv := gvk.GroupVersion()
	known, asked := m.versions[gv]
	if mapping, ok := known.kinds[gvk.Kind]; ok {
		return mapping, nil
	}
	noMatch := &meta.NoKindMatchError{GroupKind: gvk.GroupKind(), SearchedVersions: []string{gvk.Version}}
	if asked && m.now().Sub(known.at) < rediscoverAfter {
		return meta.RESTMapping{}, noMatch
	}
	list, err := m.fetch(ctx, gv)
	if err != nil && !apierrors.IsNotFound(err) {
		return meta.RESTMapping{}, err
	}
	known = discovered{at: m.now(), kinds: mappings(gv, list)}
	if m.versions == nil {
		m.versions = map[schema.GroupVersion]discovered{}
	}
	m.versions[gv] = known
	if mapping, ok := known.kinds[gvk.Kind]; ok {
		return mapping, nil
	}
	return meta.RESTMapping{}, noMatch
}

// clusterScoped reports whether objects of a kind that was asked for before live
// outside of namespaces.
func (m *mapper) clusterScoped(gvk schema.GroupVersionKind) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	mapping, ok := m.versions[gvk.GroupVersion()].kinds[gvk.Kind]
	return ok && mapping.Scope.Name() == meta.RESTScopeNameRoot
}

func mappings(gv schema.GroupVersion, list *metav1.APIResourceList) map[string]meta.RESTMapping {
	out := map[string]meta.RESTMapping{}
	if list == nil {
		return out
	}
	for _, r := range list.APIResources {
		if strings.Contains(r.Name, "/") || !slices.Contains(r.Verbs, "get") {
			continue // a subresource, or nothing that can be kept
		}
		scope := meta.RESTScopeRoot
		if r.Namespaced {
			scope = meta.RESTScopeNamespace
		}
		out[r.Kind] = meta.RESTMapping{
			Resource: gv.WithResource(r.Name), GroupVersionKind: gv.WithKind(r.Kind), Scope: scope,
		}
	}
	return out
}
