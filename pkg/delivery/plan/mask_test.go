package plan_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seed-c5f95f19/vela/pkg/delivery/manifest"
	"github.com/seed-c5f95f19/vela/pkg/delivery/plan"
)

func TestSecretsNeverEnterAPlan(t *testing.T) {
	const old, secret = "b2xkdmFsdWU=", "hunter2hunter2"
	cases := map[string]struct{ want, have string }{
		"data of a Secret": {
			want: "apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: shop}\nstringData: {a: " + secret + "}",
			have: "apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: shop}\ndata: {a: " + old + "}",
		},
		"a new Secret value": {
			want: "apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: shop}\nstringData: {a: " + secret + "}",
			have: "apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: shop}",
		},
		"a variable with a telling name": {
			want: deployment("template: {spec: {containers: [{name: web, env: [{name: DB_PASSWORD, value: " + secret + "}]}]}}"),
			have: deployment("template: {spec: {containers: [{name: web, env: [{name: DB_PASSWORD, value: " + old + "}]}]}}"),
		},
		"a variable in a new container": {
			want: deployment("template: {spec: {containers: [{name: web, env: [{name: API_KEY, value: " + secret + "}]}]}}"),
			have: deployment("replicas: 1"),
		},
		"an argument": {
			want: deployment("template: {spec: {containers: [{name: web, args: ['--token=" + secret + "']}]}}"),
			have: deployment("template: {spec: {containers: [{name: web, args: ['--token=" + old + "']}]}}"),
		},
		"a login in a URL": {
			want: configMap("a", "https://me:"+secret+"@db/x"), have: configMap("a", "https://me:"+old+"@db/x"),
		},
		"a field of some kind": {
			want: "apiVersion: example.com/v1\nkind: Db\nmetadata: {name: t, namespace: shop}\nspec: {rootPassword: " + secret + "}",
			have: "apiVersion: example.com/v1\nkind: Db\nmetadata: {name: t, namespace: shop}\nspec: {rootPassword: " + old + "}",
		},
		"configuration under a telling key": {
			want: "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: shop}\ndata: {smtp_password: " + secret + "}",
			have: "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: shop}\ndata: {smtp_password: " + old + "}",
		},
		"a copy in an annotation": {
			want: "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: shop, annotations: {app.oam.dev/last-applied-configuration: " + secret + "}}",
			have: "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: shop, annotations: {app.oam.dev/last-applied-configuration: " + old + "}}",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			m := wanted(t, tc.want)
			p := plan.Compute(plan.Input{
				Owner: me, Desired: []manifest.Manifest{m},
				Live: map[manifest.Key]plan.Live{m.Key: live(t, m, tc.have, me)},
			})
			if len(p.Applies) != 1 || len(p.Applies[0].Changes) == 0 {
				t.Fatalf("plan = %+v, want a change that shows that something changes", p)
			}
			shown, err := json.Marshal([]any{p.Applies[0].Changes, p.Summary()})
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range []string{secret, old, "oldvalue", "aHVudGVyMmh1bnRlcjI="} {
				if strings.Contains(string(shown), v) {
					t.Errorf("plan shows %q:\n%s", v, shown)
				}
			}
		})
	}
}

func TestASecretThatChangedSaysSo(t *testing.T) {
	const kind = "apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: shop}\ndata: {a: %s}"
	got := changes(t, fmt.Sprintf(kind, "Yg=="), fmt.Sprintf(kind, "YQ=="))
	want := []plan.Change{{Path: "data.a", From: plan.Secret, To: plan.SecretChanged}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
}

func TestReferencesToSecretsAreShown(t *testing.T) {
	got := changes(t,
		deployment("template: {spec: {volumes: [{name: v, secret: {secretName: new}}]}}"),
		deployment("template: {spec: {volumes: [{name: v, secret: {secretName: old}}]}}"))
	want := []plan.Change{{Path: "spec.template.spec.volumes[v].secret.secretName", From: "old", To: "new"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
}

func TestRedactRemovesSecretsFromMessages(t *testing.T) {
	m := wanted(t, deployment("template: {spec: {containers: [{name: web, env: [{name: DB_PASSWORD, value: hunter2}]}]}}"))
	got := plan.Redact(m, `env[0].value: Invalid value: "hunter2": is bad`)
	if want := `env[0].value: Invalid value: "(secret)": is bad`; got != want {
		t.Errorf("Redact(...) = %q, want %q", got, want)
	}
}

// Two plans that differ in nothing but a secret need two approvals.
func TestTheDigestCoversSecrets(t *testing.T) {
	const kind = "apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: shop}\ndata: {a: %s}"
	digest := func(value string) string {
		m := wanted(t, fmt.Sprintf(kind, value))
		return plan.Compute(plan.Input{
			Owner: me, Desired: []manifest.Manifest{m},
			Live: map[manifest.Key]plan.Live{m.Key: live(t, m, fmt.Sprintf(kind, "eA=="), me)},
		}).Digest
	}
	if digest("YQ==") == digest("Yg==") {
		t.Errorf("two secrets gave one digest")
	}
}
