package helm_test

import (
	"bytes"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/seed-c5f95f19/vela/pkg/cue/provider/helm"
	"github.com/seed-c5f95f19/vela/pkg/oam"
)

// The first that needs a seed makes it; everybody else reads the same.
func TestSeed(t *testing.T) {
	hub := fake.NewClientBuilder().Build()
	preview := helm.Seed(hub, nil)
	if got, err := preview(t.Context()); got != nil || err != nil {
		t.Errorf("a preview before there is a seed: %q, %v, want nothing", got, err)
	}
	first, err := helm.Seed(hub, hub)(t.Context())
	if err != nil || len(first) != 32 {
		t.Fatalf("Seed() = %d bytes, %v, want 32", len(first), err)
	}
	for name, w := range map[string]client.Writer{"another controller": hub, "a preview": nil} {
		if got, err := helm.Seed(hub, w)(t.Context()); err != nil || !bytes.Equal(got, first) {
			t.Errorf("%s: %x, %v, want the same seed", name, got, err)
		}
	}
}

func TestSeedThatIsBroken(t *testing.T) {
	hub := fake.NewClientBuilder().WithObjects(&corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: oam.SystemNamespace, Name: helm.SeedSecret}, Data: map[string][]byte{"seed": []byte("short")},
	}).Build()
	if got, err := helm.Seed(hub, hub)(t.Context()); err == nil {
		t.Errorf("Seed() = %q, want an error: passwords must not come from five bytes", got)
	}
}
