package application

import (
	"sync"
	"sync/atomic"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/delivery"
	"github.com/seed-c5f95f19/vela/pkg/delivery/blueprint"
	"github.com/seed-c5f95f19/vela/pkg/delivery/revision"
	"github.com/seed-c5f95f19/vela/pkg/workflow"
)

// memory is what the reconciler remembers of each Application between two
// runs, so that an event at rest costs a comparison and no request. Losing it
// loses nothing: a restart reads it all back.
type memory struct {
	mu   sync.Mutex
	apps map[types.NamespacedName]*remembered
}

// remembered belongs to the one run of its Application that is under way.
type remembered struct {
	uid     types.UID
	written atomic.Pointer[string] // resourceVersion of our last write; nil: none yet
	ahead   *v1beta1.Application   // what that write left, until the cache shows it

	read      origin // of the draft, when that is all of it
	asked     string // what the user wrote, before policies changed it
	content   string // of the draft that blueprint was made from
	blueprint *blueprint.Blueprint
	revision  revision.Revision
	warnings  string // about the draft
	recorded  string // revision whose policies are recorded

	vars    workflow.Vars                // values between steps, as they are stored
	stored  map[string]string            // what the ConfigMap of the workflow holds
	loaded  bool                         // stored was read
	lost    bool                         // it does not say what steps asked for
	left    *v1beta1.WorkflowStatus      // as we have left it; another one means that people were at work
	targets map[string][]delivery.Target // what steps asked for, unless the workflow says it
}

// of returns what is remembered of an Application. Another UID is another
// Application: nothing carries over.
func (m *memory) of(key types.NamespacedName, uid types.UID) *remembered {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.apps == nil {
		m.apps = map[types.NamespacedName]*remembered{}
	}
	if r, ok := m.apps[key]; ok && r.uid == uid {
		return r
	}
	r := &remembered{uid: uid}
	m.apps[key] = r
	return r
}

func (m *memory) forget(key types.NamespacedName) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.apps, key)
}

// wrote remembers what our own write left.
func (r *remembered) wrote(app *v1beta1.Application) {
	version := app.ResourceVersion
	r.written.Store(&version)
	r.ahead = app.DeepCopy()
}

// newest returns the Application as the cache shows it, or as our own last
// write left it while the cache has not caught up: judging by what is old would
// do things twice, and waiting would lose the event that woke us.
func (r *remembered) newest(cached *v1beta1.Application) *v1beta1.Application {
	if r.ahead == nil {
		return cached
	}
	order, err := resourceversion.CompareResourceVersion(r.ahead.ResourceVersion, cached.ResourceVersion)
	if err == nil && order > 0 {
		return r.ahead
	}
	r.ahead = nil
	return cached
}

// ours reports whether this very version of an Application is our own write, so
// that its event tells nothing new.
func (m *memory) ours(app client.Object) bool {
	m.mu.Lock()
	r := m.apps[client.ObjectKeyFromObject(app)]
	m.mu.Unlock()
	if r == nil || r.uid != app.GetUID() {
		return false
	}
	version := r.written.Load()
	return version != nil && *version == app.GetResourceVersion()
}
