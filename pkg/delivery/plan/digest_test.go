package plan_test

import (
	"encoding/json"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seed-c5f95f19/vela/pkg/delivery/inventory"
	"github.com/seed-c5f95f19/vela/pkg/delivery/manifest"
	"github.com/seed-c5f95f19/vela/pkg/delivery/plan"
)

// Invariant 5, same input, same bytes: whatever the order of maps and of what is
// gathered, a plan, its digest and its summary are the same.
func TestInvariant5SameInputSameBytes(t *testing.T) {
	var first string
	for n := range 50 {
		a := wanted(t, deployment("replicas: 3\ntemplate: {spec: {containers: [{name: web, image: b, env: [{name: B, value: '2'}, {name: A, value: '1'}]}]}}"))
		b := wanted(t, configMap("b", "1"))
		old := wanted(t, configMap("old", "1"))
		in := plan.Input{
			Owner: me, Desired: []manifest.Manifest{a, b}, Complete: true,
			Owned: inventory.Of(inventory.OfManifest(old), inventory.OfManifest(a)),
			Live: map[manifest.Key]plan.Live{
				a.Key:   live(t, a, deployment("replicas: 1\ntemplate: {spec: {containers: [{name: web, image: a}]}}"), me),
				b.Key:   {Known: true},
				old.Key: {Known: true, Object: withUID(old.Object)},
			},
		}
		p := plan.Compute(in).With(plan.Sweep(in))
		data, err := json.Marshal([]any{p, p.Summary()})
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			first = string(data)
		}
		if diff := cmp.Diff(first, string(data)); diff != "" {
			t.Fatalf("run %d gave another plan (-first +this):\n%s", n, diff)
		}
	}
}

func TestTheDigestIsOfWhatIsDoneAndNothingElse(t *testing.T) {
	m := wanted(t, configMap("a", "1"))
	unrelated := wanted(t, configMap("b", "1"))
	base := func() (plan.Input, plan.Live) {
		l := live(t, m, configMap("a", "0"), me)
		return plan.Input{
			Owner: me, Desired: []manifest.Manifest{m, unrelated},
			Live: map[manifest.Key]plan.Live{m.Key: l, unrelated.Key: live(t, unrelated, configMap("b", "1"), me)},
		}, l
	}
	in, _ := base()
	want := plan.Compute(in).Digest
	same := map[string]func(in *plan.Input, l plan.Live){
		"a resourceVersion and a status": func(_ *plan.Input, l plan.Live) {
			l.Object.SetResourceVersion("99")
			l.Object.Object["status"] = map[string]any{"x": "y"}
		},
		"an object that is kept": func(in *plan.Input, _ plan.Live) {
			in.Rules.ReadOnly = selects("Nothing")
			in.Desired = in.Desired[:1]
		},
		"the order of components": func(in *plan.Input, _ plan.Live) {
			in.Desired = []manifest.Manifest{unrelated, m}
		},
	}
	for name, change := range same {
		t.Run("does not change with "+name, func(t *testing.T) {
			in, l := base()
			change(&in, l)
			if got := plan.Compute(in).Digest; got != want {
				t.Errorf("digest = %s, want %s", got, want)
			}
		})
	}
	other := map[string]func(in *plan.Input, l plan.Live){
		"the value that is replaced": func(_ *plan.Input, l plan.Live) {
			l.Object.Object["data"] = map[string]any{"k": "something else"}
		},
		"the action": func(in *plan.Input, _ plan.Live) { in.Live[m.Key] = plan.Live{Known: true} },
		"another object that drifted": func(in *plan.Input, _ plan.Live) {
			in.Live[unrelated.Key] = live(t, unrelated, configMap("b", "0"), me)
		},
		"a refusal": func(in *plan.Input, _ plan.Live) { in.Live[unrelated.Key] = plan.Live{} },
	}
	for name, change := range other {
		t.Run("changes with "+name, func(t *testing.T) {
			in, l := base()
			change(&in, l)
			if got := plan.Compute(in).Digest; got == want {
				t.Errorf("digest = %s for another plan", got)
			}
		})
	}
}

func TestDiffSaysWhatChangedSinceTheApproval(t *testing.T) {
	m, b := wanted(t, deployment("replicas: 3")), wanted(t, configMap("b", "1"))
	compute := func(replicas string, desired ...manifest.Manifest) plan.Summary {
		in := plan.Input{Owner: me, Desired: desired, Live: map[manifest.Key]plan.Live{
			m.Key: live(t, m, deployment("replicas: "+replicas), me), b.Key: {Known: true},
		}}
		return plan.Compute(in).Summary()
	}
	b2 := wanted(t, configMap("b", "2"))
	cases := map[string]struct {
		a, b plan.Summary
		want []string
	}{
		"nothing": {a: compute("1", m, b), b: compute("1", m, b)},
		"a field that drifted": {
			a: compute("1", m), b: compute("2", m),
			want: []string{"prod: Deployment.apps shop/web: now spec.replicas: 2 -> 3"},
		},
		"an object that is new": {
			a: compute("1", m), b: compute("1", m, b),
			want: []string{"prod: ConfigMap shop/b: create is new in the plan"},
		},
		"an object that is gone": {
			a: compute("1", m, b), b: compute("1", m),
			want: []string{"prod: ConfigMap shop/b: create is not part of the plan any more"},
		},
		"content of a new object": {
			a: compute("1", b), b: compute("1", b2),
			want: []string{"prod: ConfigMap shop/b: create with other content"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			// What was approved comes back from a status.
			data, err := json.Marshal(tc.a)
			if err != nil {
				t.Fatal(err)
			}
			var stored plan.Summary
			if err := json.Unmarshal(data, &stored); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, plan.Diff(stored, tc.b)); diff != "" {
				t.Errorf("Diff(...) mismatch (-want +got):\n%s", diff)
			}
		})
	}
}

func TestASummaryIsSmall(t *testing.T) {
	var in plan.Input
	in.Owner, in.Live = me, map[manifest.Key]plan.Live{}
	for n := range 1000 {
		m := wanted(t, configMap("cm-"+string(rune('a'+n%26))+"-"+letters(rand.New(rand.NewPCG(uint64(n), 1))), "1"))
		in.Desired = append(in.Desired, m)
		in.Live[m.Key] = plan.Live{Known: true}
	}
	s := plan.Compute(in).Summary()
	data, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	if len(data) > 50_000 || len(s.Items)+s.Omitted != s.Counts.Create {
		t.Errorf("summary of %d creates has %d bytes, %d items and %d omitted", s.Counts.Create, len(data), len(s.Items), s.Omitted)
	}
}

func letters(r *rand.Rand) string {
	out := make([]byte, 8)
	for n := range out {
		out[n] = byte('a' + r.IntN(26))
	}
	return string(out)
}
