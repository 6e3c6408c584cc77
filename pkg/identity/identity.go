// Package identity says on whose behalf a request is made. An Identity is an
// argument of whatever writes to a cluster, never a value in a context, and the
// API server decides what it may do. Nothing here authenticates anybody.
package identity

import (
	"cmp"
	"slices"
	"strings"

	"k8s.io/client-go/rest"
)

// An Identity is a user as the API server knows users. The zero value is the
// control plane itself: its requests impersonate nobody.
type Identity struct {
	User   string
	Groups []string
}

// ServiceAccount returns the identity of a service account. Its groups are left
// to the API server, which knows them.
func ServiceAccount(namespace, name string) Identity {
	return Identity{User: "system:serviceaccount:" + namespace + ":" + name}
}

// ControlPlane reports whether i is the control plane itself.
func (i Identity) ControlPlane() bool { return i.User == "" && len(i.Groups) == 0 }

// Impersonation returns i in the form that client configurations take.
func (i Identity) Impersonation() rest.ImpersonationConfig {
	return rest.ImpersonationConfig{UserName: i.User, Groups: slices.Clone(i.Groups)}
}

// Equal reports whether both act as the same user in the same groups.
func (i Identity) Equal(o Identity) bool {
	return i.User == o.User && slices.Equal(sorted(i.Groups), sorted(o.Groups))
}

// String returns the user and the groups, for messages.
func (i Identity) String() string {
	if i.ControlPlane() {
		return "the control plane"
	}
	user := cmp.Or(i.User, "nobody")
	if len(i.Groups) == 0 {
		return user
	}
	return user + " (" + strings.Join(sorted(i.Groups), ", ") + ")"
}

func sorted(groups []string) []string { return slices.Sorted(slices.Values(groups)) }
