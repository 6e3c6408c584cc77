package cue_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seed-c5f95f19/vela/pkg/cue"
)

const strict = `
output: {
	image: parameter.image
	if parameter.replicas != _|_ {n: parameter.replicas}
	if parameter.ports != _|_ {ports: [for p in parameter.ports {p.port}]}
	if parameter.probe != _|_ {probe: parameter.probe}
	if parameter.policy != _|_ {policy: parameter.policy}
	if parameter.volumes != _|_ {volumes: parameter.volumes}
	if parameter.source != _|_ {source: parameter.source}
	if parameter.password != _|_ {password: parameter.password}
	if parameter.seconds != _|_ {seconds: parameter.seconds}
	if parameter.labels != _|_ {labels: parameter.labels}
}
parameter: {
	image:    string
	replicas?: int
	ports?: [...{port: int, protocol: *"TCP" | "UDP"}]
	probe?: #Probe
	policy?: "Always" | "Never"
	volumes?: [...{
		name: string
		type: *"emptyDir" | "pvc"
		if type == "pvc" {claimName: string}
	}]
	source?: close({type: "git", url: string}) | close({type: "oci", image: string})
	password?: int
	seconds?: *30 | >=1 & <=3599 & int
	labels?: [string]: string
	mounts: *[] | [...{path: string}]
}
#Probe: {
	path:  string
	port?: int
}
`

func TestParameterErrors(t *testing.T) {
	e := cue.NewEngine(cue.Options{})
	tmpl := compile(t, e, strict)
	cases := map[string]struct {
		give map[string]any
		want []string
	}{
		"all is well": {
			give: map[string]any{"image": "x", "seconds": 5, "source": map[string]any{"type": "oci", "image": "i"},
				"volumes": []any{map[string]any{"name": "v", "type": "pvc", "claimName": "c"}}},
		},
		"a required property is missing": {
			give: map[string]any{},
			want: []string{`image: is required: expected string`},
		},
		"a property of the wrong type": {
			give: map[string]any{"image": "x", "replicas": "two"},
			want: []string{`replicas: expected int, got string "two"`},
		},
		"a float where an int is wanted": {
			give: map[string]any{"image": "x", "replicas": 1.5},
			want: []string{`replicas: expected int, got number 1.5`},
		},
		"null is not a value": {
			give: map[string]any{"image": nil},
			want: []string{`image: expected string, got null`},
		},
		"an object where a string is wanted": {
			give: map[string]any{"image": map[string]any{"name": "x"}},
			want: []string{`image: expected string, got an object`},
		},
		"a string where an object is wanted": {
			give: map[string]any{"image": "x", "probe": "/healthz"},
			want: []string{`probe: expected an object, got string "/healthz"`},
		},
		"a path inside a list": {
			give: map[string]any{"image": "x", "ports": []any{map[string]any{"port": 80}, map[string]any{"port": "81"}}},
			want: []string{`ports[1].port: expected int, got string "81"`},
		},
		"a value that is not in the list": {
			give: map[string]any{"image": "x", "policy": "Sometimes", "ports": []any{map[string]any{"port": 80, "protocol": "tcp"}}},
			want: []string{
				`policy: expected "Always" or "Never", got string "Sometimes"`,
				`ports[0].protocol: expected "TCP" or "UDP", got string "tcp"`,
			},
		},
		"a definition is closed": {
			give: map[string]any{"image": "x", "probe": map[string]any{"path": "/", "prot": 8080}},
			want: []string{`probe.prot: is not a known property; did you mean "port"?`},
		},
		"a property that another one asks for": {
			give: map[string]any{"image": "x", "volumes": []any{map[string]any{"name": "v", "type": "pvc"}}},
			want: []string{`volumes[0].claimName: is required: expected string`},
		},
		"of several forms the one that was meant": {
			give: map[string]any{"image": "x", "source": map[string]any{"type": "git", "ulr": "u"}},
			want: []string{
				`source.ulr: is not a known property; did you mean "url"?`,
				`source.url: is required: expected string`,
			},
		},
		"a number out of bounds": {
			give: map[string]any{"image": "x", "seconds": 4000},
			want: []string{`seconds: expected int from 1 to 3599, got int 4000`},
		},
		"a map with the wrong kind of values": {
			give: map[string]any{"image": "x", "labels": map[string]any{"a.b/c": 1}},
			want: []string{`labels["a.b/c"]: expected string, got int 1`},
		},
		"a list with a default": {
			give: map[string]any{"image": "x", "mounts": []any{map[string]any{"path": "a"}, map[string]any{"path": 1}}},
			want: []string{`mounts[1].path: expected string, got int 1`},
		},
		"a secret is not shown": {
			give: map[string]any{"image": "x", "password": "hunter2"},
			want: []string{`password: expected int, got string of 7 characters`},
		},
		"all mistakes at once, by path": {
			give: map[string]any{"replicas": "x", "policy": 1},
			want: []string{
				`image: is required: expected string`,
				`policy: expected "Always" or "Never", got int 1`,
				`replicas: expected int, got string "x"`,
			},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, e := range cue.Errors(tmpl.Check(tc.give)) {
				got = append(got, e.Error())
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("Check() mismatch (-want +got):\n%s", diff)
			}
			res, err := tmpl.Eval(t.Context(), cue.Input{Parameter: tc.give})
			if err == nil {
				_, err = res.Output()
			}
			got = nil
			for _, e := range cue.Errors(err) {
				got = append(got, e.Error())
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("rendering mismatch (-want +got):\n%s", diff)
			}
			if err != nil {
				for _, leak := range []string{"cannot use", "_|_", "#def", "conflicting", "disjunction"} {
					if strings.Contains(err.Error(), leak) {
						t.Errorf("error %q contains %q", err, leak)
					}
				}
			}
		})
	}
}

func TestUnknown(t *testing.T) {
	tmpl := compile(t, cue.NewEngine(cue.Options{}), strict)
	got := tmpl.Unknown(map[string]any{
		"image": "x", "replica": 1, "labels": map[string]any{"any": "thing"}, "qwertyuiop": 1,
		"ports":   []any{map[string]any{"port": 80, "protocl": "TCP"}},
		"volumes": []any{map[string]any{"name": "v", "type": "pvc", "claimName": "c", "claimname": "c"}},
		"source":  map[string]any{"type": "git", "url": "u"},
	})
	want := []cue.UnknownField{
		{Path: "ports[0].protocl", Suggestion: "protocol"},
		{Path: "qwertyuiop"},
		{Path: "replica", Suggestion: "replicas"},
		{Path: "volumes[0].claimname"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Unknown() mismatch (-want +got):\n%s", diff)
	}
}

func TestUnknownWhereAnythingGoes(t *testing.T) {
	const text = `
parameter: {
	objects: [...{}]
	settings: {}
	#Sealed: {}
	sealed?: #Sealed
	style: *"plain" | "carved"
	boards?: [...{
		length: int
		if style == "carved" {pattern: string}
	}]
}
`
	for name, c := range map[string]struct {
		text  string
		given map[string]any
		want  []cue.UnknownField
	}{
		"an empty struct takes any object": {text, map[string]any{
			"objects": []any{map[string]any{"kind": "Lamp"}}, "settings": map[string]any{"watts": 40},
		}, nil},
		"an if within a list asks what stands outside of it": {text, map[string]any{
			"style": "carved", "boards": []any{map[string]any{"length": 1, "pattern": "waves"}},
		}, nil},
		"what no if gives is unknown": {text, map[string]any{
			"boards": []any{map[string]any{"length": 1, "pattern": "waves"}},
		}, []cue.UnknownField{{Path: "boards[0].pattern"}}},
		"an empty definition takes nothing":   {text, map[string]any{"sealed": map[string]any{"a": 1}}, []cue.UnknownField{{Path: "sealed.a"}}},
		"no parameters means that none exist": {"parameter: {}", map[string]any{"a": 1}, []cue.UnknownField{{Path: "a"}}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, compile(t, cue.NewEngine(cue.Options{}), c.text).Unknown(c.given)); diff != "" {
				t.Errorf("Unknown() mismatch (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTemplateErrors(t *testing.T) {
	cases := map[string]struct {
		text    string
		compile string
		eval    string
	}{
		"a syntax error has a line": {
			text:    "output: {\n\ta: [\n}\n",
			compile: `expected operand, found '}' (line 3 of the definition)`,
		},
		"a name that does not exist": {
			text:    "output: {\n\ta: paramter.image\n}\n",
			compile: `output.a: refers to "paramter", which does not exist (line 2 of the definition)`,
		},
		"an import that does not exist": {
			text:    "import \"vela/nothing\"\noutput: nothing.#X\n",
			compile: `imports "vela/nothing", which does not exist here (line 1 of the definition)`,
		},
		"a contradiction in the text": {
			text:    "output: a: 1\noutput: a: 2\n",
			compile: `output.a: is 1 in one place and 2 in another (line 1 of the definition)`,
		},
		"close of what it stands in": {
			text:    "t: {a?: close(t)}\n",
			compile: `close contains the field that it stands in, which never ends (line 1 of the definition)`,
		},
		"close of what leads back to it": {
			text:    "t: {\n\ta?: close(#X)\n}\n#X: b: t\n",
			compile: `close contains the field that it stands in, which never ends (line 2 of the definition)`,
		},
		"a context field that is not given": {
			text: "output: {\n\ta: context.nope\n}\n",
			eval: `output.a: refers to "nope", which does not exist (line 2 of the definition)`,
		},
		"a value that is never set": {
			text: "output: {\n\ta: string\n}\n",
			eval: `output.a: has no value: expected string (line 2 of the definition)`,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			e := cue.NewEngine(cue.Options{})
			tmpl, err := e.Compile(cue.Source{Kind: "component", Name: "test", Text: tc.text})
			if tc.compile != "" {
				if err == nil || err.Error() != tc.compile {
					t.Fatalf("Compile() error = %v\nwant %s", err, tc.compile)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			res, err := tmpl.Eval(t.Context(), cue.Input{Context: map[string]any{"name": "x"}})
			if err == nil {
				_, err = res.Output()
			}
			if err == nil || err.Error() != tc.eval {
				t.Fatalf("Output() error = %v\nwant %s", err, tc.eval)
			}
		})
	}
}
