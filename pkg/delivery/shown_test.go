package delivery

import (
	"fmt"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/seed-c5f95f19/vela/pkg/delivery/manifest"
	"github.com/seed-c5f95f19/vela/pkg/delivery/plan"
)

func secretApply(name, value string) plan.Apply {
	m := manifest.Manifest{
		Key:       manifest.Key{Cluster: "production", Kind: "Secret", Namespace: "default", Name: name},
		Component: "web",
		Object: &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": "v1", "kind": "Secret", "metadata": map[string]any{"name": name, "namespace": "default"},
			"stringData": map[string]any{"password": value},
		}},
	}
	return plan.Apply{Manifest: m, Action: plan.Create, Digest: m.Digest()}
}

// An approval of one secret is not one of another, and what is remembered of a
// plan holds neither.
func TestApprovalSeesSecretsWithoutShowingThem(t *testing.T) {
	one := shown(Outcome{Plan: plan.Plan{Digest: "sha256:1", Applies: []plan.Apply{secretApply("db", "hunter1")}}})
	two := shown(Outcome{Plan: plan.Plan{Digest: "sha256:2", Applies: []plan.Apply{secretApply("db", "hunter2")}}})
	if one.Covers(two) {
		t.Error("the approval of one password covers another")
	}
	if !one.Covers(one) {
		t.Error("a plan does not cover itself")
	}
	if text := one.Encode(); strings.Contains(text, "hunter") {
		t.Errorf("the plan that is remembered holds the secret: %s", text)
	}
}

// However large a plan is, nothing of it escapes the approval.
func TestApprovalSeesEveryWrite(t *testing.T) {
	var p plan.Plan
	for i := range 300 {
		p.Applies = append(p.Applies, secretApply(fmt.Sprintf("s%d", i), "x"))
	}
	approved := shown(Outcome{Plan: p})
	p.Applies[299] = secretApply("s299", "y")
	if rest := shown(Outcome{Plan: p}); len(rest.Entries) != 300 || approved.Covers(rest) {
		t.Errorf("a change of the last of %d writes is covered", len(rest.Entries))
	}
}
