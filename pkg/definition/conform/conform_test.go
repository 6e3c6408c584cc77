package conform_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/definition"
	"github.com/seed-c5f95f19/vela/pkg/definition/conform"
)

func component(t *testing.T, name, apiVersion, kind string) definition.Definition {
	t.Helper()
	def := &v1beta1.ComponentDefinition{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"workload.oam.dev/podspecable": "true"}}}
	def.Spec.Workload.Definition = v1beta1.WorkloadGVK{APIVersion: apiVersion, Kind: kind}
	if kind == "" {
		def.Spec.Workload.Type = v1beta1.AutoDetectWorkload
	}
	d, err := definition.FromObject(def)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func trait(t *testing.T, name string, change func(*v1beta1.TraitDefinitionSpec)) definition.Definition {
	t.Helper()
	def := &v1beta1.TraitDefinition{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"kind": "network"}}}
	change(&def.Spec)
	d, err := definition.FromObject(def)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestAppliesTo(t *testing.T) {
	cases := map[string]struct {
		rules []string
		fits  bool
	}{
		"no rule fits everything":             {nil, true},
		"a star too":                          {[]string{"*"}, true},
		"the resource and its group":          {[]string{"statefulsets.apps", "deployments.apps"}, true},
		"another resource does not":           {[]string{"statefulsets.apps", "jobs.batch"}, false},
		"the group alone":                     {[]string{"*.apps"}, true},
		"another group does not":              {[]string{"*.batch"}, false},
		"the version counts when it is given": {[]string{"deployments.apps/v1beta1"}, false},
		"and fits":                            {[]string{"deployments.apps/v1"}, true},
		"the name of the component type":      {[]string{"webservice"}, true},
		"the kind":                            {[]string{"apps/v1.Deployment"}, true},
		"labels of the definition":            {[]string{"labelSelector:workload.oam.dev/podspecable=true"}, true},
		"labels that it does not have":        {[]string{"labelSelector:workload.oam.dev/podspecable!=true"}, false},
		"a rule that nobody understands":      {[]string{"labelSelector:!!", "[", "deploy"}, false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			tr := trait(t, "scaler", func(s *v1beta1.TraitDefinitionSpec) { s.AppliesToWorkloads = tc.rules })
			got := conform.Check([]conform.Component{{
				Name: "web", Place: "spec.components[0]", Definition: component(t, "webservice", "apps/v1", "Deployment"),
				Traits: []conform.Trait{{Place: "spec.components[0].traits[0]", Definition: tr}},
			}})
			var want []conform.Finding
			if !tc.fits {
				want = []conform.Finding{{
					Path: "spec.components[0].traits[0].type",
					Text: `trait "scaler" of component "web" does not apply to a workload of type "webservice" (deployments.apps)`,
					Hint: "its definition says appliesToWorkloads: " + strings.Join(tc.rules, ", "),
				}}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("Check() mismatch (-want +got):\n%s", diff)
			}
		})
	}
}

func TestUnknownWorkloadsFit(t *testing.T) {
	tr := trait(t, "scaler", func(s *v1beta1.TraitDefinitionSpec) { s.AppliesToWorkloads = []string{"deployments.apps"} })
	got := conform.Check([]conform.Component{{Name: "any", Definition: component(t, "k8s-objects", "", ""), Traits: []conform.Trait{{Definition: tr}}}})
	if len(got) > 0 {
		t.Errorf("a kind that is known after rendering only is judged before: %v", got)
	}
}

func TestConflictsWith(t *testing.T) {
	cases := map[string]struct {
		rule  string
		clash bool
	}{
		"by name":                         {"ingress", true},
		"another name":                    {"gateway2", false},
		"everything":                      {"*", true},
		"by the resource behind it":       {"ingresses.networking.k8s.io", true},
		"by the group behind it":          {"*.networking.k8s.io", true},
		"by another group":                {"*.apps", false},
		"by labels of its definition":     {"labelSelector:kind=network", true},
		"by labels that it does not have": {"labelSelector:kind=storage", false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			gateway := trait(t, "gateway", func(s *v1beta1.TraitDefinitionSpec) { s.ConflictsWith = []string{tc.rule} })
			ingress := trait(t, "ingress", func(s *v1beta1.TraitDefinitionSpec) { s.Reference.Name = "ingresses.networking.k8s.io" })
			for order, traits := range map[string][]definition.Definition{"first": {gateway, ingress}, "second": {ingress, gateway}} {
				got := conform.Check([]conform.Component{{Name: "web", Traits: []conform.Trait{
					{Place: "t[0]", Definition: traits[0]}, {Place: "t[1]", Definition: traits[1]},
				}}})
				var want []conform.Finding
				if tc.clash {
					want = []conform.Finding{{
						Path: "t[1].type",
						Text: `traits "` + traits[0].Name + `" and "` + traits[1].Name + `" of component "web" exclude each other`,
						Hint: `the definition of "gateway" says conflictsWith: ` + tc.rule,
					}}
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("the rule is that of the %s trait (-want +got):\n%s", order, diff)
				}
			}
		})
	}
}

// The same trait may be there twice: gateway is meant to be.
func TestATraitDoesNotExcludeItself(t *testing.T) {
	all := trait(t, "lonely", func(s *v1beta1.TraitDefinitionSpec) { s.ConflictsWith = []string{"*"} })
	got := conform.Check([]conform.Component{{Name: "web", Traits: []conform.Trait{{Definition: all}, {Definition: all}}}})
	if len(got) > 0 {
		t.Errorf("Check() = %v, want nothing", got)
	}
}

func TestNames(t *testing.T) {
	long := strings.Repeat("a", 64)
	got := conform.Check([]conform.Component{{Name: "web", Place: "c[0]"}, {Name: long, Place: "c[1]"}})
	if len(got) != 1 || got[0].Path != "c[1].name" {
		t.Errorf("Check() = %v, want one finding at c[1].name", got)
	}
}
