package definition_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/definition"
)

func trait(namespace, name, template string) *v1beta1.TraitDefinition {
	return &v1beta1.TraitDefinition{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, UID: types.UID(namespace + "/" + name)},
		Spec:       v1beta1.TraitDefinitionSpec{Schematic: &v1beta1.Schematic{CUE: &v1beta1.CUE{Template: template}}},
	}
}

func revision(namespace, name, of, template string) *v1beta1.DefinitionRevision {
	return &v1beta1.DefinitionRevision{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, UID: types.UID(namespace + "/" + name)},
		Spec: v1beta1.DefinitionRevisionSpec{
			Revision: 1, DefinitionType: v1beta1.DefinitionTrait, TraitDefinition: *trait(namespace, of, template),
		},
	}
}

func clusterWith(t *testing.T, objs ...client.Object) client.WithWatch {
	t.Helper()
	scheme := runtime.NewScheme()
	if err := v1beta1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	return fake.NewClientBuilder().WithScheme(scheme).WithObjects(objs...).Build()
}

func TestClusterFindsDefinitions(t *testing.T) {
	store := definition.Cluster(clusterWith(t,
		trait("team", "scaler", "team: true"),
		trait("vela-system", "scaler", "system: true"),
		trait("vela-system", "labels", "labels: true"),
		revision("vela-system", "scaler-v1", "scaler", "first: true"),
		revision("vela-system", "scaler-v1.2.9", "scaler", "nine: true"),
		revision("vela-system", "scaler-v1.2.10", "scaler", "ten: true"),
		revision("vela-system", "scaler-v1.10.0", "scaler", "minor: true"),
		revision("vela-system", "scaler-v2.0.0", "scaler", "major: true"),
		&v1beta1.WorkloadDefinition{ObjectMeta: metav1.ObjectMeta{Namespace: "vela-system", Name: "old"},
			Spec: v1beta1.WorkloadDefinitionSpec{Schematic: &v1beta1.WorkloadSchematic{CUE: &v1beta1.CUE{Template: "old: true"}}}},
	))
	cases := map[string]struct {
		namespace string
		ref       definition.Ref
		want      string
	}{
		"the namespace of the Application goes first":          {"team", definition.Ref{Kind: definition.Trait, Name: "scaler"}, "team: true"},
		"other namespaces are not looked at":                   {"other", definition.Ref{Kind: definition.Trait, Name: "scaler"}, "system: true"},
		"a definition for all is found from every namespace":   {"team", definition.Ref{Kind: definition.Trait, Name: "labels"}, "labels: true"},
		"a version names a revision":                           {"team", definition.Ref{Kind: definition.Trait, Name: "scaler@v1"}, "first: true"},
		"a version works without its v":                        {"team", definition.Ref{Kind: definition.Trait, Name: "scaler@2.0.0"}, "major: true"},
		"a prefix of a version means the newest, by number":    {"team", definition.Ref{Kind: definition.Trait, Name: "scaler@v1.2"}, "ten: true"},
		"a major version without a revision of its own too":    {"team", definition.Ref{Kind: definition.Trait, Name: "scaler@v2"}, "major: true"},
		"a WorkloadDefinition stands in for a component":       {"team", definition.Ref{Kind: definition.Component, Name: "old"}, "old: true"},
		"the namespace for all itself looks nowhere else":      {"vela-system", definition.Ref{Kind: definition.Trait, Name: "scaler"}, "system: true"},
		"an Application without namespace uses that for all":   {"", definition.Ref{Kind: definition.Trait, Name: "scaler"}, "system: true"},
		"a full version is not taken for a prefix of another":  {"team", definition.Ref{Kind: definition.Trait, Name: "scaler@v1.2.1"}, ""},
		"a trait is not found as a component":                  {"team", definition.Ref{Kind: definition.Component, Name: "scaler"}, ""},
		"a version of a definition without revisions is known": {"team", definition.Ref{Kind: definition.Trait, Name: "labels@v7"}, ""},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			d, err := store.Get(t.Context(), tc.namespace, tc.ref)
			if tc.want == "" {
				if !errors.Is(err, definition.ErrNotFound) {
					t.Errorf("Get(%v) = %v, %v, want ErrNotFound", tc.ref, d.Template, err)
				}
				return
			}
			if err != nil || d.Template != tc.want {
				t.Errorf("Get(%v) = %q, %v, want %q", tc.ref, d.Template, err, tc.want)
			}
		})
	}
}

func TestClusterPassesErrorsOn(t *testing.T) {
	refused := errors.New("refused")
	store := definition.Cluster(interceptor.NewClient(clusterWith(t), interceptor.Funcs{
		Get: func(context.Context, client.WithWatch, client.ObjectKey, client.Object, ...client.GetOption) error {
			return refused
		},
	}))
	_, err := store.Get(t.Context(), "team", definition.Ref{Kind: definition.Trait, Name: "scaler"})
	if !errors.Is(err, refused) || errors.Is(err, definition.ErrNotFound) {
		t.Errorf("Get() error = %v, want the one of the API", err)
	}
}

// A definition that has changed is read again; one that has not keeps what was
// made of it.
func TestClusterSeesChanges(t *testing.T) {
	c := clusterWith(t, trait("team", "scaler", "one: true"))
	store := definition.Cluster(c)
	ref := definition.Ref{Kind: definition.Trait, Name: "scaler"}
	first, err := store.Get(t.Context(), "team", ref)
	if err != nil {
		t.Fatal(err)
	}
	again, err := store.Get(t.Context(), "team", ref)
	if err != nil {
		t.Fatal(err)
	}
	if first.Object != again.Object {
		t.Error("the same object was converted twice")
	}
	changed := &v1beta1.TraitDefinition{}
	if err := c.Get(t.Context(), client.ObjectKey{Namespace: "team", Name: "scaler"}, changed); err != nil {
		t.Fatal(err)
	}
	changed.Spec.Schematic.CUE.Template = "two: true"
	if err := c.Update(t.Context(), changed); err != nil {
		t.Fatal(err)
	}
	second, err := store.Get(t.Context(), "team", ref)
	if err != nil {
		t.Fatal(err)
	}
	if second.Template != "two: true" || second.Digest == first.Digest {
		t.Errorf("after a change: template %q, same digest %v", second.Template, second.Digest == first.Digest)
	}
}

func TestMissingNamesAreExplained(t *testing.T) {
	mine, err := definition.Of(trait("", "team-scaler", "x: 1"), trait("", "labels", "x: 1"))
	if err != nil {
		t.Fatal(err)
	}
	builtin, err := definition.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	chain := definition.Chain(mine, builtin)
	cases := map[string]struct {
		ref  definition.Ref
		want string
	}{
		"letters that were swapped":            {definition.Ref{Kind: definition.Component, Name: "websevrice"}, `component "websevrice" is not installed (did you mean "webservice"?)`},
		"names of any source":                  {definition.Ref{Kind: definition.Trait, Name: "team-scale"}, `trait "team-scale" is not installed (did you mean "team-scaler"?)`},
		"nothing that is close":                {definition.Ref{Kind: definition.Trait, Name: "kubernetes"}, `trait "kubernetes" is not installed`},
		"a version is part of what is missing": {definition.Ref{Kind: definition.Trait, Name: "labels@v9"}, `trait "labels@v9" is not installed`},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := chain.Get(t.Context(), "default", tc.ref)
			if !errors.Is(err, definition.ErrNotFound) {
				t.Fatalf("Get() error = %v, want ErrNotFound", err)
			}
			if diff := cmp.Diff(tc.want, err.Error()); diff != "" {
				t.Errorf("message (-want +got):\n%s", diff)
			}
		})
	}
	d, err := chain.Get(t.Context(), "default", definition.Ref{Kind: definition.Trait, Name: "labels"})
	if err != nil || d.Template != "x: 1" {
		t.Errorf("the first source of a chain does not win: %q, %v", d.Template, err)
	}
	if d, err = chain.Get(t.Context(), "default", definition.Ref{Kind: definition.Component, Name: "webservice@v1"}); err != nil || d.Revision != "webservice-v1" {
		t.Errorf("the first version of a built-in definition: revision %q, %v", d.Revision, err)
	}
}

func TestFromFiles(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"a.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: skipped}\n---\n" +
			"apiVersion: core.oam.dev/v1beta1\nkind: TraitDefinition\nmetadata: {name: yaml}\nspec: {schematic: {cue: {template: 'x: 1'}}}\n",
		"b.yaml":       "apiVersion: core.oam.dev/v1beta1\nkind: TraitDefinition\nmetadata: {name: yaml}\nspec: {schematic: {cue: {template: 'later: 1'}}}\n",
		"deeper/b.cue": "cue: {type: \"component\", attributes: {}}\ntemplate: {\n\toutput: {}\n}\n",
		"notes.txt":    "not a definition",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s, err := definition.FromFiles(dir)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	all, err := s.All()
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range all {
		got[string(d.Kind)+" "+d.Name] = d.Template
	}
	if diff := cmp.Diff(map[string]string{"trait yaml": "x: 1", "component cue": "output: {}\n"}, got); diff != "" {
		t.Errorf("definitions (-want +got):\n%s", diff)
	}
	if _, err := definition.FromFiles(filepath.Join(dir, "nowhere")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("FromFiles of a folder that is not there: error = %v", err)
	}
}

func TestParseRef(t *testing.T) {
	cases := map[string]struct {
		text, base, version string
		bad                 bool
	}{
		"a name":                  {text: "webservice", base: "webservice"},
		"a name and a version":    {text: "webservice@v1", base: "webservice", version: "v1"},
		"no name":                 {text: "@v1", bad: true},
		"nothing":                 {text: "", bad: true},
		"no version behind the @": {text: "webservice@", bad: true},
		"two versions":            {text: "webservice@v1@v2", bad: true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			ref, err := definition.ParseRef(definition.Component, tc.text)
			if (err != nil) != tc.bad || ref.Base() != tc.base || ref.Version() != tc.version {
				t.Errorf("ParseRef(%q) = %q %q, %v", tc.text, ref.Base(), ref.Version(), err)
			}
		})
	}
}
