package external_test

import (
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	cuev1alpha1 "github.com/seed-c5f95f19/vela/apis/cue.oam.dev/v1alpha1"
	"github.com/seed-c5f95f19/vela/pkg/cue"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider/external"
	velahttp "github.com/seed-c5f95f19/vela/pkg/cue/provider/http"
	"github.com/seed-c5f95f19/vela/pkg/oam"
)

const utils = `package utils

#Sum: {
	#do:       "sum"
	#provider: "calc"

	$params: {x: number, y: number}
	$returns?: result: number
}

#Broken: {
	#do:       "broken"
	#provider: "calc"
	$params: {...}
	$returns?: {...}
}
`

// object returns a Package called calc in the namespace team.
func object(path, endpoint string, templates map[string]string, change ...func(*cuev1alpha1.Package)) cuev1alpha1.Package {
	o := cuev1alpha1.Package{
		ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "calc"},
		Spec:       cuev1alpha1.PackageSpec{Path: path, Templates: templates},
	}
	if endpoint != "" {
		o.Spec.Provider = &cuev1alpha1.Provider{Protocol: cuev1alpha1.ProtocolHTTP, Endpoint: endpoint}
	}
	for _, c := range change {
		c(&o)
	}
	return o
}

func annotated(key, value string) func(*cuev1alpha1.Package) {
	return func(o *cuev1alpha1.Package) { o.Annotations = map[string]string{key: value} }
}

func called(namespace, name string, at int64) func(*cuev1alpha1.Package) {
	return func(o *cuev1alpha1.Package) {
		o.Namespace, o.Name, o.CreationTimestamp = namespace, name, metav1.NewTime(time.Unix(at, 0))
	}
}

// functions executes sum.
func functions(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	switch r.Method + " " + r.URL.Path + " " + r.Header.Get("Content-Type") {
	case "POST /v1/sum application/json":
		var in struct{ X, Y float64 }
		if err := json.Unmarshal(body, &in); err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		_, _ = fmt.Fprintf(w, `{"result": %v}`, in.X+in.Y)
	case "POST /v1/broken application/json":
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = fmt.Fprint(w, "no idea\nwhy")
	default:
		http.NotFound(w, r)
	}
}

func TestFunctions(t *testing.T) {
	plain := httptest.NewServer(http.HandlerFunc(functions))
	defer plain.Close()
	secure := httptest.NewTLSServer(http.HandlerFunc(functions))
	defer secure.Close()
	ca := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: secure.Certificate().Raw}))
	one := map[string]string{"utils.cue": utils}
	const sum = "import \"ext/utils\"\nr: utils.#Sum & {$params: {x: 1, y: 2}}\ngot: \"\\(r.$returns.result)\""
	cases := map[string]struct {
		object  cuev1alpha1.Package
		text    string
		step    bool // workflow steps may do what changes the world
		want    string
		wantErr string
	}{
		"a function":                       {object: object("ext/utils", plain.URL+"/v1", one), text: sum, want: "3"},
		"values need no server":            {object: object("ext/utils", "", map[string]string{"a": "two: 2"}), text: "import \"ext/utils\"\ngot: \"\\(utils.two)\"", want: "2"},
		"several files that import":        {object: object("ext/utils", "", map[string]string{"a": "package a\nimport \"strings\"\nup: strings.ToUpper(low)", "b": "package b\nimport \"strings\"\nlow: strings.ToLower(\"Xy\")"}), text: "import \"ext/utils\"\ngot: utils.up", want: "XY"},
		"a function that fails":            {object: object("ext/utils", plain.URL+"/v1", one), text: "import \"ext/utils\"\nr: utils.#Broken & {$params: {}}", wantErr: `function "broken": the server answers with status 500: no idea`},
		"a function that is not there":     {object: object("ext/utils", plain.URL, one), text: sum, wantErr: `function "sum": the server answers with status 404`},
		"a server that is not there":       {object: object("ext/utils", "http://127.0.0.1:1", one), text: sum, wantErr: "POST http://127.0.0.1:1: "},
		"a certificate that nobody trusts": {object: object("ext/utils", secure.URL+"/v1", one), text: sum, wantErr: "certificate signed by unknown authority"},
		"… unless the object says so":      {object: object("ext/utils", secure.URL+"/v1", one, annotated(oam.AnnotationPackageInsecure, "true")), text: sum, want: "3"},
		"… or brings the authority":        {object: object("ext/utils", secure.URL+"/v1", one, annotated(oam.AnnotationPackageCA, ca)), text: sum, want: "3"},
		"with effects, while rendering":    {object: object("ext/utils", plain.URL+"/v1", one, annotated(oam.AnnotationPackageEffects, "true")), text: sum, wantErr: "changes the world, which a rendering must not"},
		"with effects, in a step":          {object: object("ext/utils", plain.URL+"/v1", one, annotated(oam.AnnotationPackageEffects, "true")), text: sum, step: true, want: "3"},
		"an answer that does not fit":      {object: object("ext/utils", plain.URL+"/v1", map[string]string{"a": strings.Replace(utils, "result: number", "result: string", 1)}), text: sum, wantErr: "the answer does not fit"},
		"parameters that do not fit":       {object: object("ext/utils", plain.URL+"/v1", one), text: strings.Replace(sum, "x: 1", `x: "1"`, 1), wantErr: "x"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			found, problems := external.Read([]cuev1alpha1.Package{tc.object})
			if len(problems) > 0 {
				t.Fatal(problems[0].Err)
			}
			got, err := eval(t, found[0], tc.text, tc.step)
			switch {
			case tc.wantErr != "" && (err == nil || !strings.Contains(err.Error(), tc.wantErr)):
				t.Errorf("error = %v, want %q", err, tc.wantErr)
			case tc.wantErr == "" && (err != nil || got != tc.want):
				t.Errorf("got %q (%v), want %q", got, err, tc.want)
			}
		})
	}
}

func eval(t *testing.T, p external.Package, text string, step bool) (string, error) {
	t.Helper()
	e := cue.NewEngine(cue.Options{})
	e.SetPackages([]provider.Schema{p.Schema})
	if _, err := e.Compile(cue.Source{Kind: "package", Text: p.Probe()}); err != nil {
		t.Errorf("the package itself: %v", err)
	}
	tmpl, err := e.Compile(cue.Source{Kind: "component", Name: "it", Text: text})
	if err != nil {
		return "", err
	}
	client := velahttp.NewClient(func(netip.Addr) error { return nil }, nil)
	table := provider.NewTable(p.Actions(client))
	if !step {
		table = table.ReadOnly()
	}
	res, err := tmpl.Eval(t.Context(), cue.Input{Actions: table, ReadOnly: !step})
	if err != nil {
		return "", err
	}
	got, _, err := res.String("got")
	return got, err
}

// Two packages whose objects have one name are two, and neither is a package that
// comes with the program.
func TestNamesDoNotMeet(t *testing.T) {
	server := func(answer string) string {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, answer) }))
		t.Cleanup(s.Close)
		return s.URL
	}
	text := strings.ReplaceAll(utils, `"calc"`, `"kube"`)
	found, problems := external.Read([]cuev1alpha1.Package{
		object("ext/one", server(`{"result": 1}`), map[string]string{"a": text}, called("a", "kube", 1)),
		object("ext/two", server(`{"result": 2}`), map[string]string{"a": text}, called("b", "kube", 1)),
	})
	if len(problems) > 0 {
		t.Fatal(problems[0].Err)
	}
	client := velahttp.NewClient(func(netip.Addr) error { return nil }, nil)
	builtin := provider.Package{Name: "kube", Read: provider.Actions{"sum": nil}}
	table := provider.NewTable(builtin, found[0].Actions(client), found[1].Actions(client))
	e := cue.NewEngine(cue.Options{})
	e.SetPackages([]provider.Schema{found[0].Schema, found[1].Schema})
	tmpl, err := e.Compile(cue.Source{Text: "import \"ext/one\"\nimport \"ext/two\"\na: one.#Sum & {$params: {x: 0, y: 0}}\nb: two.#Sum & {$params: {x: 0, y: 0}}\ngot: \"\\(a.$returns.result) \\(b.$returns.result)\""})
	if err != nil {
		t.Fatal(err)
	}
	res, err := tmpl.Eval(t.Context(), cue.Input{Actions: table})
	if err != nil {
		t.Fatal(err)
	}
	if got, _, err := res.String("got"); got != "1 2" || err != nil {
		t.Errorf("got %q (%v), want 1 2", got, err)
	}
}

// What is wrong with one object is said of it, and the others stay.
func TestProblems(t *testing.T) {
	good := map[string]string{"a": "x: 1"}
	cases := map[string]struct {
		objects []cuev1alpha1.Package
		want    []string // namespace/name: problem
	}{
		"none":                              {[]cuev1alpha1.Package{object("ext/a", "", good)}, nil},
		"a path of one element":             {[]cuev1alpha1.Package{object("a", "", good)}, []string{`team/calc: spec.path: expected an import path of two elements such as ext/a, got "a"`}},
		"an empty path":                     {[]cuev1alpha1.Package{object("", "", good)}, []string{`team/calc: spec.path: expected an import path such as ext/utils, got ""`}},
		"a path of the program":             {[]cuev1alpha1.Package{object("vela/kube", "", good)}, []string{`team/calc: spec.path: "vela/kube" belongs to the packages that come with the program`}},
		"a path of CUE":                     {[]cuev1alpha1.Package{object("encoding/json", "", good)}, []string{`team/calc: spec.path: "encoding/json" belongs to the library of CUE`}},
		"another protocol":                  {[]cuev1alpha1.Package{object("ext/a", "http://x", good, func(o *cuev1alpha1.Package) { o.Spec.Provider.Protocol = "grpc" })}, []string{`team/calc: spec.provider.protocol: only "http" is supported, got "grpc"`}},
		"an endpoint that is none":          {[]cuev1alpha1.Package{object("ext/a", "functions:8080", good)}, []string{"team/calc: spec.provider.endpoint: expected an address such as https://functions.example.com/v1"}},
		"functions without a server":        {[]cuev1alpha1.Package{object("ext/a", "", map[string]string{"a": utils})}, []string{"team/calc: spec.provider: there are functions, and nothing says who executes them"}},
		"no templates":                      {[]cuev1alpha1.Package{object("ext/a", "", nil)}, []string{"team/calc: spec.templates: there are none"}},
		"a template that is no CUE":         {[]cuev1alpha1.Package{object("ext/a", "", map[string]string{"a.cue": "x: ]"})}, []string{`team/calc: spec.templates["a.cue"]: the text is not CUE: expected operand, found ']'`}},
		"more than a definition may have":   {[]cuev1alpha1.Package{object("ext/a", "", map[string]string{"a.cue": "x: 1" + strings.Repeat("+1", 200_000)})}, []string{"team/calc: spec.templates: they have 400004 bytes, at most 262144 are allowed"}},
		"a long sum is for others to judge": {[]cuev1alpha1.Package{object("ext/a", "", map[string]string{"a.cue": "x: 1" + strings.Repeat("+1", 100_000)})}, nil},
		"the older of two":                  {[]cuev1alpha1.Package{object("ext/a", "", good, called("x", "new", 2)), object("ext/a", "", good, called("y", "old", 1))}, []string{`x/new: the path "ext/a" is that of the Package y/old already`}},
		"the system's of two":               {[]cuev1alpha1.Package{object("ext/a", "", good, called("x", "old", 1)), object("ext/a", "", good, called("vela-system", "new", 2))}, []string{`x/old: the path "ext/a" is that of the Package vela-system/new already`}},
		"one that is wrong is no rival":     {[]cuev1alpha1.Package{object("ext/a", "", nil, called("x", "old", 1)), object("ext/a", "", good, called("y", "new", 2))}, []string{"x/old: spec.templates: there are none"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			found, problems := external.Read(tc.objects)
			var got []string
			for _, p := range problems {
				got = append(got, fmt.Sprintf("%s/%s: %v", p.Object.Namespace, p.Object.Name, p.Err))
			}
			if diff := cmp.Diff(tc.want, got); diff != "" || len(found)+len(problems) != len(tc.objects) {
				t.Errorf("%d found (-want +got):\n%s", len(found), diff)
			}
		})
	}
}
