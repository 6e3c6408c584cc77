package definition

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
)

// A ClusterStore finds definitions in a cluster: first in the namespace of
// the Application, then in the one for all. Give it a reader with a cache; it
// keeps the converted form of what it has read as long as the object has the
// same resourceVersion. It is safe for concurrent use.
type ClusterStore struct {
	reader    client.Reader
	fallbacks []string

	mu   sync.Mutex
	seen map[types.UID]converted
}

type converted struct {
	resourceVersion string
	definition      Definition
}

// Cluster returns the store over reader. fallbacks are the namespaces to look
// in after that of the Application; none means SystemNamespace.
func Cluster(reader client.Reader, fallbacks ...string) *ClusterStore {
	if len(fallbacks) == 0 {
		fallbacks = []string{SystemNamespace}
	}
	return &ClusterStore{reader: reader, fallbacks: fallbacks, seen: map[types.UID]converted{}}
}

// Get returns the definition that ref means for an Application in namespace.
// A version names a DefinitionRevision; one of less than three numbers that
// no revision has means the newest revision under it.
func (s *ClusterStore) Get(ctx context.Context, namespace string, ref Ref) (Definition, error) {
	for _, ns := range s.namespaces(namespace) {
		d, err := s.get(ctx, ns, ref)
		if apierrors.IsNotFound(err) {
			continue
		}
		if err != nil {
			return Definition{}, fmt.Errorf("load %s from namespace %q: %w", ref, ns, err)
		}
		return d, nil
	}
	names, err := s.Names(ctx, namespace, ref.Kind)
	if err != nil {
		return Definition{}, err
	}
	return Definition{}, missing(namespace, ref, names)
}

// get returns the definition from exactly one namespace, or the API's error
// for what does not exist.
func (s *ClusterStore) get(ctx context.Context, namespace string, ref Ref) (Definition, error) {
	if ref.Version() != "" {
		return s.revision(ctx, namespace, ref)
	}
	obj := emptyOf(ref.Kind.wireKind())
	if obj == nil {
		return Definition{}, fmt.Errorf("unknown kind of definition %q", ref.Kind)
	}
	err := s.reader.Get(ctx, client.ObjectKey{Namespace: namespace, Name: ref.Name}, obj)
	if apierrors.IsNotFound(err) && ref.Kind == Component {
		obj = &v1beta1.WorkloadDefinition{}
		err = s.reader.Get(ctx, client.ObjectKey{Namespace: namespace, Name: ref.Name}, obj)
	}
	if err != nil {
		return Definition{}, err
	}
	return s.convert(obj, func() (Definition, error) { return FromObject(obj) })
}

func (s *ClusterStore) revision(ctx context.Context, namespace string, ref Ref) (Definition, error) {
	rev := &v1beta1.DefinitionRevision{}
	err := s.reader.Get(ctx, client.ObjectKey{Namespace: namespace, Name: revisionName(ref.Base(), ref.Version())}, rev)
	if apierrors.IsNotFound(err) {
		d, listErr := s.newest(ctx, namespace, ref)
		if errors.Is(listErr, ErrNotFound) {
			return Definition{}, err
		}
		return d, listErr
	}
	if err != nil {
		return Definition{}, err
	}
	if rev.Spec.DefinitionType != ref.Kind.RevisionType() {
		return Definition{}, fmt.Errorf("DefinitionRevision %q holds a definition of type %s", rev.Name, rev.Spec.DefinitionType)
	}
	return s.convert(rev, func() (Definition, error) { return FromRevision(rev) })
}

// newest returns the revision with the highest version under that of ref, or
// ErrNotFound.
func (s *ClusterStore) newest(ctx context.Context, namespace string, ref Ref) (Definition, error) {
	var list v1beta1.DefinitionRevisionList
	if err := s.reader.List(ctx, &list, client.InNamespace(namespace)); err != nil {
		return Definition{}, err
	}
	byName := map[string]*v1beta1.DefinitionRevision{}
	var names []string
	for i, r := range list.Items {
		if r.Spec.DefinitionType == ref.Kind.RevisionType() {
			names = append(names, r.Name)
			byName[r.Name] = &list.Items[i]
		}
	}
	rev := byName[newest(ref.Base(), ref.Version(), names)]
	if rev == nil {
		return Definition{}, ErrNotFound
	}
	return s.convert(rev, func() (Definition, error) { return FromRevision(rev) })
}

// Newest returns what ref means for an Application that follows new versions: of
// several revisions under a version such as 1 or 1.2 the newest, also when one
// has exactly that name. Without such revisions it is what Get returns.
func (s *ClusterStore) Newest(ctx context.Context, namespace string, ref Ref) (Definition, error) {
	if ref.Version() == "" {
		return s.Get(ctx, namespace, ref)
	}
	for _, ns := range s.namespaces(namespace) {
		d, err := s.newest(ctx, ns, ref)
		if errors.Is(err, ErrNotFound) {
			if d, err = s.get(ctx, ns, ref); apierrors.IsNotFound(err) {
				continue
			}
		}
		if err != nil {
			return Definition{}, fmt.Errorf("load %s from namespace %q: %w", ref, ns, err)
		}
		return d, nil
	}
	return s.Get(ctx, namespace, ref)
}

// convert returns make's result, or that of the same object from before.
func (s *ClusterStore) convert(obj client.Object, make func() (Definition, error)) (Definition, error) {
	uid, version := obj.GetUID(), obj.GetResourceVersion()
	s.mu.Lock()
	known, ok := s.seen[uid]
	s.mu.Unlock()
	if ok && uid != "" && known.resourceVersion == version {
		return known.definition, nil
	}
	d, err := make()
	if err != nil {
		return Definition{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.seen) >= maxSeen {
		clear(s.seen) // definitions that were deleted would stay for ever
	}
	s.seen[uid] = converted{version, d}
	return d, nil
}

// maxSeen bounds what a ClusterStore remembers.
const maxSeen = 4096

// Names lists the definitions of one kind that an Application in namespace
// can use.
func (s *ClusterStore) Names(ctx context.Context, namespace string, kind Kind) ([]string, error) {
	var names []string
	for _, ns := range s.namespaces(namespace) {
		list := listOf(kind)
		if list == nil {
			return nil, fmt.Errorf("unknown kind of definition %q", kind)
		}
		if err := s.reader.List(ctx, list, client.InNamespace(ns)); err != nil {
			return nil, fmt.Errorf("list %s definitions in namespace %q: %w", kind, ns, err)
		}
		err := meta.EachListItem(list, func(o runtime.Object) error {
			names = append(names, o.(client.Object).GetName())
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

func (s *ClusterStore) namespaces(namespace string) []string {
	all := []string{}
	for _, ns := range append([]string{namespace}, s.fallbacks...) {
		if ns != "" && !slices.Contains(all, ns) {
			all = append(all, ns)
		}
	}
	return all
}

func listOf(kind Kind) client.ObjectList {
	switch kind {
	case Component:
		return &v1beta1.ComponentDefinitionList{}
	case Trait:
		return &v1beta1.TraitDefinitionList{}
	case Policy:
		return &v1beta1.PolicyDefinitionList{}
	case WorkflowStep:
		return &v1beta1.WorkflowStepDefinitionList{}
	}
	return nil
}
