package inventory

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/seed-c5f95f19/vela/apis/compression"
	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/delivery/manifest"
	"github.com/seed-c5f95f19/vela/pkg/oam"
)

// packAbove is the number of entries above which a tracker is stored packed:
// small ones are nicer to read, large ones would not fit.
const packAbove = 50

// trackerNames returns KubeVela's name and one that no other Application has.
func (o Owner) trackerNames() []string {
	sum := sha256.Sum256([]byte(o.Namespace + "/" + o.Name + "/" + string(o.UID)))
	name := o.Name + "-" + o.Namespace
	return []string{name, name + "-" + hex.EncodeToString(sum[:4])}
}

func newRoot(owner Owner, name string) *v1beta1.ResourceTracker {
	return &v1beta1.ResourceTracker{
		ObjectMeta: metav1.ObjectMeta{
			Name: name,
			Labels: map[string]string{
				oam.LabelAppName: owner.Name, oam.LabelAppNamespace: owner.Namespace, oam.LabelAppUID: string(owner.UID),
			},
			Finalizers: []string{oam.FinalizerTracked},
		},
	}
}

// headOf returns what has to be kept of a tracker to write it again.
func headOf(t *v1beta1.ResourceTracker) *v1beta1.ResourceTracker {
	head := &v1beta1.ResourceTracker{ObjectMeta: *t.ObjectMeta.DeepCopy()}
	head.ManagedFields = nil
	head.Spec.Type = t.Spec.Type
	return head
}

// usable reports whether a tracker can be the root of this Application: others
// are of an older one of the same name, of KubeVela's generations, or on their
// way out.
func usable(t *v1beta1.ResourceTracker, uid types.UID) bool {
	return t.Spec.Type == v1beta1.ResourceTrackerRoot && t.DeletionTimestamp == nil &&
		t.Labels[oam.LabelAppUID] == string(uid)
}

func byAge(a, b v1beta1.ResourceTracker) int {
	return cmp.Or(a.CreationTimestamp.Compare(b.CreationTimestamp.Time), cmp.Compare(a.Name, b.Name))
}

func entries(t v1beta1.ResourceTracker) []Entry {
	out := make([]Entry, 0, len(t.Spec.ManagedResources))
	for _, m := range t.Spec.ManagedResources {
		gvk := schema.FromAPIVersionAndKind(m.APIVersion, m.Kind)
		out = append(out, Entry{
			Key: manifest.Key{
				Cluster: cmp.Or(m.Cluster, manifest.Local), Group: gvk.Group, Kind: gvk.Kind,
				Namespace: m.Namespace, Name: m.Name,
			},
			Version: gvk.Version, UID: m.UID, Component: m.Component, Trait: m.Trait, Creator: m.Creator,
			Digest: m.Digest, SkipGC: m.SkipGC, Deleted: m.Deleted,
		})
	}
	return out
}

func spec(inv Inventory) v1beta1.ResourceTrackerSpec {
	out := v1beta1.ResourceTrackerSpec{Type: v1beta1.ResourceTrackerRoot}
	for _, e := range inv.Entries {
		out.ManagedResources = append(out.ManagedResources, v1beta1.ManagedResource{
			ClusterObjectReference: v1beta1.ClusterObjectReference{
				Cluster: e.Key.Cluster, Creator: e.Creator,
				ObjectReference: corev1.ObjectReference{
					APIVersion: e.GroupVersionKind().GroupVersion().String(), Kind: e.Key.Kind,
					Namespace: e.Key.Namespace, Name: e.Key.Name, UID: e.UID,
				},
			},
			Component: e.Component, Trait: e.Trait, Digest: e.Digest, SkipGC: e.SkipGC, Deleted: e.Deleted,
		})
	}
	if inv.Len() > packAbove {
		out.Compression.Type = compression.Zstd
	}
	return out
}

// sameAs reports whether both own the same, apart from hints.
func (i Inventory) sameAs(o Inventory) bool {
	return slices.EqualFunc(i.Entries, o.Entries, Entry.same)
}
