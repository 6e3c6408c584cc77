package patch_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seed-c5f95f19/vela/pkg/cue"
	"github.com/seed-c5f95f19/vela/pkg/cue/patch"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider"
)

func parse(t *testing.T, text string) map[string]any {
	t.Helper()
	v, err := provider.Unmarshal([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return v.(map[string]any)
}

// read compiles a template and returns its patch.
func read(t *testing.T, text string) patch.Patch {
	t.Helper()
	tmpl, err := cue.NewEngine(cue.Options{}).Compile(cue.Source{Kind: "trait", Name: "test", Text: text})
	if err != nil {
		t.Fatal(err)
	}
	res, err := tmpl.Eval(t.Context(), cue.Input{Parameter: map[string]any{"n": 3, "on": true}})
	if err != nil {
		t.Fatal(err)
	}
	p, ok, err := res.Patch()
	if err != nil || !ok {
		t.Fatalf("Patch() = %v, %v", ok, err)
	}
	return p
}

func TestApply(t *testing.T) {
	cases := map[string]struct {
		base, patch, want string
		wantErr           string
	}{
		"objects merge field by field": {
			base:  `{"a": {"x": 1}}`,
			patch: `patch: {a: y: 2, b: "n"}`,
			want:  `{"a": {"x": 1, "y": 2}, "b": "n"}`,
		},
		"an equal scalar is fine": {
			base:  `{"a": 1, "n": null, "f": 2}`,
			patch: `patch: {a: 1, n: null, f: 2.0}`,
			want:  `{"a": 1, "n": null, "f": 2}`,
		},
		"a different scalar names both writers": {
			base:    `{"spec": {"replicas": 1}}`,
			patch:   `patch: spec: replicas: parameter.n`,
			wantErr: `spec.replicas: 1 of component "webservice" cannot become 3 of trait "test"`,
		},
		"null is a value like others": {
			base:    `{"a": 1}`,
			patch:   `patch: a: null`,
			wantErr: `a: 1 of component "webservice" cannot become null of trait "test"`,
		},
		"an object cannot become a scalar": {
			base:    `{"a": {"x": 1}}`,
			patch:   `patch: a: "s"`,
			wantErr: `a: an object of component "webservice" cannot become "s" of trait "test"`,
		},
		"a scalar cannot become a list": {
			base:    `{"a": "s"}`,
			patch:   `patch: a: ["s"]`,
			wantErr: `a: "s" of component "webservice" cannot become a list of trait "test"`,
		},

		"a list without marker merges by index": {
			base:  `{"l": [{"a": 1}]}`,
			patch: `patch: l: [{b: 2}, {c: 3}]`,
			want:  `{"l": [{"a": 1, "b": 2}, {"c": 3}]}`,
		},
		"a closed list cannot be shorter": {
			base:  `{"l": [1, 2]}`,
			patch: `patch: l: [1]`,
			wantErr: `l: a list of 2 cannot become a list of 1; merge it with +patchKey or end the patch with "..."` +
				` (component "webservice", patched by trait "test")`,
		},
		"an open list patches its first elements": {
			base:  `{"l": [{"a": 1}, {"b": 2}]}`,
			patch: `patch: l: [{x: 1}, ...]`,
			want:  `{"l": [{"a": 1, "x": 1}, {"b": 2}]}`,
		},
		"an open list with a type patches all": {
			base:  `{"l": [{"a": 1}, {"b": 2}]}`,
			patch: `patch: l: [...{x: 1}]`,
			want:  `{"l": [{"a": 1, "x": 1}, {"b": 2, "x": 1}]}`,
		},
		"an open list where the base has none": {
			base:  `{}`,
			patch: `patch: {l: [...{x: 1}], m: [{y: 1}, ...]}`,
			want:  `{"l": [], "m": [{"y": 1}]}`,
		},

		"patchKey merges what matches and appends the rest": {
			base: `{"spec": {"containers": [{"name": "a", "image": "x"}, {"name": "b", "image": "y"}]}}`,
			patch: `patch: spec: {
				// +patchKey=name
				containers: [{name: "b", tty: true}, {name: "c"}]
			}`,
			want: `{"spec": {"containers": [{"name": "a", "image": "x"}, {"name": "b", "image": "y", "tty": true}, {"name": "c"}]}}`,
		},
		"patchKey is inherited by nested lists": {
			base: `{"containers": [{"name": "a", "env": [{"name": "X", "value": "1"}]}]}`,
			patch: `patch: {
				// +patchKey=name
				containers: [{name: "a", env: [{name: "Y", value: "2"}]}]
			}`,
			want: `{"containers": [{"name": "a", "env": [{"name": "X", "value": "1"}, {"name": "Y", "value": "2"}]}]}`,
		},
		"patchKey on an outer field holds for the lists below": {
			base: `{"spec": {"template": {"list": [{"name": "a"}]}}}`,
			patch: `patch: {
				// +patchKey=name
				spec: template: list: [{name: "b"}]
			}`,
			want: `{"spec": {"template": {"list": [{"name": "a"}, {"name": "b"}]}}}`,
		},
		"a nested patchKey replaces the inherited one": {
			base: `{"containers": [{"name": "a", "ports": [{"port": 1, "p": "TCP"}]}]}`,
			patch: `patch: {
				// +patchKey=name
				containers: [{
					name: "a"
					// +patchKey=port
					ports: [{port: 1, x: 1}, {port: 2}]
				}]
			}`,
			want: `{"containers": [{"name": "a", "ports": [{"port": 1, "p": "TCP", "x": 1}, {"port": 2}]}]}`,
		},
		"patchKey inside an if": {
			base: `{"l": [{"name": "a"}]}`,
			patch: `patch: {
				if parameter.on {
					// +patchKey=name
					l: [{name: "b"}]
				}
			}`,
			want: `{"l": [{"name": "a"}, {"name": "b"}]}`,
		},
		"a nested key": {
			base: `{"envFrom": [{"configMapRef": {"name": "a"}}, {"secretRef": {"name": "a"}}]}`,
			patch: `patch: {
				// +patchKey=configMapRef.name
				envFrom: [{configMapRef: {name: "a", optional: true}}, {configMapRef: name: "b"}]
			}`,
			want: `{"envFrom": [{"configMapRef": {"name": "a", "optional": true}}, {"secretRef": {"name": "a"}}, {"configMapRef": {"name": "b"}}]}`,
		},
		"several keys": {
			base: `{"envFrom": [{"configMapRef": {"name": "a"}}, {"secretRef": {"name": "s"}}]}`,
			patch: `patch: {
				// +patchKey=configMapRef.name,secretRef.name
				envFrom: [{secretRef: {name: "s", optional: true}}, {configMapRef: name: "b"}, {secretRef: name: "t"}]
			}`,
			want: `{"envFrom": [{"configMapRef": {"name": "a"}}, {"secretRef": {"name": "s", "optional": true}}, {"configMapRef": {"name": "b"}}, {"secretRef": {"name": "t"}}]}`,
		},
		"elements without the key leave the list to the index": {
			base: `{"l": [{"name": "a"}]}`,
			patch: `patch: {
				// +patchKey=name
				l: [{x: 1}]
			}`,
			want: `{"l": [{"name": "a", "x": 1}]}`,
		},
		"an empty keyed list changes nothing": {
			base: `{"l": [{"name": "a"}]}`,
			patch: `patch: {
				// +patchKey=name
				l: []
			}`,
			want: `{"l": [{"name": "a"}]}`,
		},
		"a key that is not a plain value leaves the list to the index": {
			base: `{"l": [{"name": {"x": 1}}]}`,
			patch: `patch: {
				// +patchKey=name
				l: [{name: {x: 1}, y: 2}]
			}`,
			want: `{"l": [{"name": {"x": 1}, "y": 2}]}`,
		},
		"of two elements with one key the last counts": {
			base: `{"l": [{"name": "a"}]}`,
			patch: `patch: {
				// +patchKey=name
				l: [{name: "b", v: 1}, {name: "b", v: 2}]
			}`,
			want: `{"l": [{"name": "a"}, {"name": "b", "v": 2}]}`,
		},
		"base elements without the key stay where they are": {
			base: `{"l": [{"x": 0}, {"name": "a"}]}`,
			patch: `patch: {
				// +patchKey=name
				l: [{name: "a", v: 1}]
			}`,
			want: `{"l": [{"x": 0}, {"name": "a", "v": 1}]}`,
		},
		"a matched element can conflict": {
			base: `{"l": [{"name": "a", "image": "x"}]}`,
			patch: `patch: {
				// +patchKey=name
				l: [{name: "a", image: "y"}]
			}`,
			wantErr: `l[0].image: "x" of component "webservice" cannot become "y" of trait "test"`,
		},
		"of two patchKey lines the last counts for what has its key": {
			base: `{"l": [{"id": 1, "name": "a"}]}`,
			patch: `patch: {
				// +patchKey=name
				// +patchKey=id
				l: [{id: 1, name: "a", x: 1}, {id: 2, name: "a"}]
			}`,
			want: `{"l": [{"id": 1, "name": "a", "x": 1}, {"id": 2, "name": "a"}]}`,
		},
		"of two patchKey lines the first counts for the rest": {
			base: `{"envFrom": [{"configMapRef": {"name": "a"}}, {"secretRef": {"name": "s"}}]}`,
			patch: `patch: {
				// +patchKey=configMapRef.name
				// +patchKey=secretRef.name
				envFrom: [{secretRef: {name: "s", optional: true}}, {configMapRef: {name: "a", optional: true}}, {configMapRef: name: "b"}]
			}`,
			want: `{"envFrom": [{"configMapRef": {"name": "a", "optional": true}}, {"secretRef": {"name": "s", "optional": true}}, {"configMapRef": {"name": "b"}}]}`,
		},
		"a variable that gets its value from elsewhere loses its own": {
			base: `{"containers": [{"name": "c", "env": [{"name": "A", "value": "old"}, {"name": "B", "valueFrom": {"x": 1}}, {"name": "C", "value": "c"}]}]}`,
			patch: `patch: {
				// +patchKey=name
				containers: [{name: "c", env: [{name: "A", valueFrom: y: 2}, {name: "B", value: "b"}, {name: "C", value: "c"}]}]
			}`,
			want: `{"containers": [{"name": "c", "env": [{"name": "A", "valueFrom": {"y": 2}}, {"name": "B", "value": "b"}, {"name": "C", "value": "c"}]}]}`,
		},
		"a variable with another value is still a conflict": {
			base: `{"env": [{"name": "A", "value": "old"}]}`,
			patch: `patch: {
				// +patchKey=name
				env: [{name: "A", value: "new"}]
			}`,
			wantErr: `env[0].value: "old" of component "webservice" cannot become "new" of trait "test"`,
		},
		"value and valueFrom exclude each other only in env": {
			base: `{"l": [{"name": "A", "value": "old"}]}`,
			patch: `patch: {
				// +patchKey=name
				l: [{name: "A", valueFrom: y: 2}]
			}`,
			want: `{"l": [{"name": "A", "value": "old", "valueFrom": {"y": 2}}]}`,
		},
		"patchStrategy=open and unknown strategies are ignored": {
			base: `{"a": {"x": 1}, "l": [{"name": "a"}]}`,
			patch: `patch: {
				// +patchStrategy=open
				a: y: 2
				// +patchKey=name
				// +patchStrategy=merge
				l: [{name: "b"}]
			}`,
			want: `{"a": {"x": 1, "y": 2}, "l": [{"name": "a"}, {"name": "b"}]}`,
		},
		"a marker with spaces is none": {
			base: `{"l": [{"name": "a"}]}`,
			patch: `patch: {
				// +patchKey=name of it
				l: [{name: "a", x: 1}]
			}`,
			want: `{"l": [{"name": "a", "x": 1}]}`,
		},
		"a keyed list that the base does not have": {
			base: `{}`,
			patch: `patch: {
				// +patchKey=name
				l: [{name: "a"}]
			}`,
			want: `{"l": [{"name": "a"}]}`,
		},
		"a close around a list element": {
			base: `{"l": [{"name": "a", "image": "x"}]}`,
			patch: `patch: {
				// +patchKey=name
				l: [close({name: "a", tty: true})]
			}`,
			want: `{"l": [{"name": "a", "image": "x", "tty": true}]}`,
		},

		"retainKeys replaces an object": {
			base: `{"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}}`,
			patch: `patch: {
				// +patchStrategy=retainKeys
				strategy: {type: "Recreate"}
			}`,
			want: `{"strategy": {"type": "Recreate"}}`,
		},
		"retainKeys replaces a scalar": {
			base: `{"spec": {"replicas": 1}}`,
			patch: `patch: spec: {
				// +patchStrategy=retainKeys
				replicas: parameter.n
			}`,
			want: `{"spec": {"replicas": 3}}`,
		},
		"retainKeys replaces a matched element": {
			base: `{"l": [{"name": "a", "image": "x", "tty": true}, {"name": "b"}]}`,
			patch: `patch: {
				// +patchKey=name
				// +patchStrategy=retainKeys
				l: [{name: "a", image: "y"}]
			}`,
			want: `{"l": [{"name": "a", "image": "y"}, {"name": "b"}]}`,
		},
		"retainKeys on a list without key merges by index": {
			base: `{"l": ["a"]}`,
			patch: `patch: {
				// +patchStrategy=retainKeys
				l: ["b"]
			}`,
			wantErr: `l[0]: "a" of component "webservice" cannot become "b" of trait "test"`,
		},
		"replace replaces a list": {
			base: `{"l": ["a", "b"]}`,
			patch: `patch: {
				// +patchStrategy=replace
				l: ["c"]
			}`,
			want: `{"l": ["c"]}`,
		},
		"replace replaces an object": {
			base: `{"o": {"a": 1}}`,
			patch: `patch: {
				// +patchStrategy=replace
				o: {b: 2}
			}`,
			want: `{"o": {"b": 2}}`,
		},
		"a strategy is not inherited": {
			base: `{"o": {"p": {"a": 1}}}`,
			patch: `patch: {
				// +patchStrategy=open
				o: p: a: 2
			}`,
			wantErr: `o.p.a: 1 of component "webservice" cannot become 2 of trait "test"`,
		},

		"jsonMergePatch deletes with null": {
			base: `{"a": 1, "o": {"x": 1, "y": 2}, "l": [1, 2]}`,
			patch: `
				// +patchStrategy=jsonMergePatch
				patch: {a: null, o: {x: null, z: 3}, l: [3]}`,
			want: `{"o": {"y": 2, "z": 3}, "l": [3]}`,
		},
		"jsonPatch runs operations": {
			base: `{"l": ["a"], "o": {"x": 1}}`,
			patch: `
				// +patchStrategy=jsonPatch
				patch: operations: [
					{op: "add", path: "/l/0", value: "b"},
					{op: "remove", path: "/o/x"},
				]`,
			want: `{"l": ["b", "a"], "o": {}}`,
		},
		"jsonPatch says which operation fails": {
			base: `{}`,
			patch: `
				// +patchStrategy=jsonPatch
				patch: operations: [{op: "remove", path: "/o/x"}]`,
			wantErr: `patch.operations: operation 1 (remove /o/x) does not fit the object (patched by trait "test")`,
		},

		"a default gives way to the base": {
			base:  `{"spec": {"replicas": 5}}`,
			patch: `patch: spec: {replicas: *1 | int, paused: *false | bool}`,
			want:  `{"spec": {"replicas": 5, "paused": false}}`,
		},
		"a type accepts the base": {
			base:  `{"name": "x"}`,
			patch: `patch: name: string`,
			want:  `{"name": "x"}`,
		},
		"a type refuses the base": {
			base:    `{"name": 1}`,
			patch:   `patch: name: string`,
			wantErr: `name: expected string, got 1 (component "webservice", patched by trait "test")`,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			base := parse(t, tc.base)
			p := read(t, tc.patch+"\nparameter: {n: int, on: bool}").By(`trait "test"`, patch.NewOwners(`component "webservice"`))
			got, err := patch.Apply(base, p)
			if tc.wantErr != "" {
				if err == nil || err.Error() != tc.wantErr {
					t.Fatalf("Apply() error = %v\nwant %s", err, tc.wantErr)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(parse(t, tc.want), got); diff != "" {
				t.Errorf("Apply() mismatch (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(parse(t, tc.base), base); diff != "" {
				t.Errorf("Apply() changed the base (-want +got):\n%s", diff)
			}
		})
	}
}

func TestOwners(t *testing.T) {
	owners := patch.NewOwners(`component "webservice"`)
	base := parse(t, `{"spec": {"containers": [{"name": "a"}]}}`)
	first := read(t, `patch: spec: {replicas: parameter.n, containers: [{image: "x"}]}`+"\nparameter: n: int").By(`trait "scaler"`, owners)
	after, err := patch.Apply(base, first)
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"spec.replicas":            `trait "scaler"`,
		"spec.containers[0].image": `trait "scaler"`,
		"spec.containers[0].name":  `component "webservice"`,
	} {
		if got := owners.Of(path); got != want {
			t.Errorf("Of(%q) = %q, want %q", path, got, want)
		}
	}
	_, err = patch.Apply(after, patch.Of(map[string]any{"spec": map[string]any{"replicas": int64(4)}}).By(`trait "hpa"`, owners))
	want := `spec.replicas: 3 of trait "scaler" cannot become 4 of trait "hpa"`
	if err == nil || err.Error() != want {
		t.Errorf("Apply() error = %v, want %s", err, want)
	}
}

func TestWithoutStrategy(t *testing.T) {
	p := read(t, "// +patchStrategy=jsonMergePatch\npatch: a: null")
	got, err := patch.Apply(map[string]any{}, p.WithoutStrategy())
	if err != nil {
		t.Fatal(err)
	}
	if b, _ := json.Marshal(got); string(b) != `{"a":null}` {
		t.Errorf("Apply() = %s, want null as a value", b)
	}
}
