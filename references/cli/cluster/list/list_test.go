package list_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seed-c5f95f19/vela/pkg/cluster"
	"github.com/seed-c5f95f19/vela/references/cli/cluster/list"
	"github.com/seed-c5f95f19/vela/references/cli/console"
)

func TestPrint(t *testing.T) {
	infos := []cluster.Info{
		{Name: "local", Endpoint: "https://hub", Credential: "Internal", Version: cluster.Version{GitVersion: "v1.36.3"}},
		{Name: "eu", Alias: "Europe", Endpoint: "https://eu", Credential: "X509Certificate", Away: true, Reason: "no answer", Labels: map[string]string{
			"region": "eu", "cluster.core.oam.dev/cluster-credential-type": "X509Certificate",
		}},
		{Name: "old", Endpoint: "https://old", Credential: "Dynamic", Reason: "its kubeconfig runs a program"},
		{Name: "new", Endpoint: "https://new", Credential: "ServiceAccountToken"},
	}
	var out bytes.Buffer
	if err := list.Print(console.Plain(nil, &out, nil, time.Time{}), "", infos); err != nil {
		t.Fatal(err)
	}
	want := `CLUSTER   ALIAS    CREDENTIAL            ENDPOINT      VERSION   STATE                                     LABELS
local              Internal              https://hub   v1.36.3   ready
eu        Europe   X509Certificate       https://eu              away: no answer                           region=eu
old                Dynamic               https://old             unusable: its kubeconfig runs a program
new                ServiceAccountToken   https://new             unknown
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("Print() mismatch (-want +got):\n%s", diff)
	}
}
