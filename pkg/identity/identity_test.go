package identity_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/client-go/rest"

	"github.com/seed-c5f95f19/vela/pkg/identity"
)

func TestIdentity(t *testing.T) {
	cases := map[string]struct {
		id               identity.Identity
		wantControlPlane bool
		wantString       string
		wantConfig       rest.ImpersonationConfig
	}{
		"the zero value impersonates nobody": {
			wantControlPlane: true,
			wantString:       "the control plane",
		},
		"a service account leaves its groups to the server": {
			id:         identity.ServiceAccount("shop", "deployer"),
			wantString: "system:serviceaccount:shop:deployer",
			wantConfig: rest.ImpersonationConfig{UserName: "system:serviceaccount:shop:deployer"},
		},
		"groups are named in order": {
			id:         identity.Identity{User: "ann", Groups: []string{"ops", "dev"}},
			wantString: "ann (dev, ops)",
			wantConfig: rest.ImpersonationConfig{UserName: "ann", Groups: []string{"ops", "dev"}},
		},
		"groups without a user are still somebody": {
			id:         identity.Identity{Groups: []string{"dev"}},
			wantString: "nobody (dev)",
			wantConfig: rest.ImpersonationConfig{Groups: []string{"dev"}},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := tc.id.ControlPlane(); got != tc.wantControlPlane {
				t.Errorf("ControlPlane() = %v, want %v", got, tc.wantControlPlane)
			}
			if diff := cmp.Diff(tc.wantString, tc.id.String()); diff != "" {
				t.Errorf("String() mismatch (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tc.wantConfig, tc.id.Impersonation()); diff != "" {
				t.Errorf("Impersonation() mismatch (-want +got):\n%s", diff)
			}
		})
	}
}

func TestEqualIgnoresTheOrderOfGroups(t *testing.T) {
	a := identity.Identity{User: "ann", Groups: []string{"ops", "dev"}}
	b := identity.Identity{User: "ann", Groups: []string{"dev", "ops"}}
	if !a.Equal(b) {
		t.Errorf("%v.Equal(%v) = false, want true", a, b)
	}
	if a.Equal(identity.Identity{User: "ann"}) {
		t.Errorf("an identity with groups equals one without")
	}
}
