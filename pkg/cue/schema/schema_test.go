package schema_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seed-c5f95f19/vela/pkg/cue"
)

func TestSchema(t *testing.T) {
	cases := map[string]struct{ parameter, want string }{
		"types, optional fields and required ones": {
			parameter: `{
				// +usage=Image to run
				// +short=i
				image: string
				replicas?: int
				ratio: *0.5 | float
				on: bool
				raw?: bytes
				any?: _
			}`,
			want: `{"type": "object", "required": ["image", "on"], "x-vela-order": ["image", "replicas", "ratio", "on", "raw", "any"],
				"properties": {
					"image": {"type": "string", "description": "Image to run", "x-vela-short": "i"},
					"replicas": {"type": "integer"}, "ratio": {"type": "number", "default": 0.5}, "on": {"type": "boolean"},
					"raw": {"type": "string", "format": "byte"}, "any": {}}}`,
		},
		"an enum with a default": {
			parameter: `{protocol: *"TCP" | "UDP", policy?: "Always" | "Never", only: "x"}`,
			want: `{"type": "object", "x-vela-order": ["protocol", "policy", "only"], "properties": {
				"protocol": {"type": "string", "enum": ["TCP", "UDP"], "default": "TCP"},
				"policy": {"type": "string", "enum": ["Always", "Never"]},
				"only": {"type": "string", "enum": ["x"]}}}`,
		},
		"a default beside its type and beside bounds": {
			parameter: `{n: *1 | int, s: *30 | >=1 & <=3599 & int, p?: =~"^a", q?: >0 & <1}`,
			want: `{"type": "object", "x-vela-order": ["n", "s", "p", "q"], "properties": {
				"n": {"type": "integer", "default": 1},
				"s": {"type": "integer", "default": 30, "minimum": 1, "maximum": 3599},
				"p": {"type": "string", "pattern": "^a"},
				"q": {"type": "number", "minimum": 0, "exclusiveMinimum": true, "maximum": 1, "exclusiveMaximum": true}}}`,
		},
		"lists and maps": {
			parameter: `{
				ports?: [...{port: int, name?: string}]
				labels?: [string]: string
				open?: {...}
				cmds: *[] | [...string]
			}`,
			want: `{"type": "object", "x-vela-order": ["ports", "labels", "open", "cmds"], "properties": {
				"ports": {"type": "array", "items": {"type": "object", "required": ["port"], "x-vela-order": ["port", "name"],
					"properties": {"port": {"type": "integer"}, "name": {"type": "string"}}}},
				"labels": {"type": "object", "additionalProperties": {"type": "string"}},
				"open": {"type": "object", "x-vela-open": true},
				"cmds": {"type": "array", "items": {"type": "string"}, "default": []}}}`,
		},
		"forms of an object": {
			parameter: `{source: close({git: string}) | close({oci: string})}`,
			want: `{"type": "object", "required": ["source"], "x-vela-order": ["source"], "properties": {"source": {"oneOf": [
				{"type": "object", "required": ["git"], "x-vela-order": ["git"], "properties": {"git": {"type": "string"}}},
				{"type": "object", "required": ["oci"], "x-vela-order": ["oci"], "properties": {"oci": {"type": "string"}}}]}}}`,
		},
		"a definition and its comments": {
			parameter: `{
				// How to see that it lives
				probe?: #Probe
				// +immutable
				// +ignore
				// +alias=Class
				class!: string
			}
			#Probe: {port: int}`,
			want: `{"type": "object", "required": ["class"], "x-vela-order": ["probe", "class"], "properties": {
				"probe": {"type": "object", "description": "How to see that it lives", "required": ["port"], "x-vela-order": ["port"], "properties": {"port": {"type": "integer"}}},
				"class": {"type": "string", "x-vela-immutable": true, "x-vela-ignore": true, "x-vela-alias": "Class"}}}`,
		},
		"a definition that contains itself ends": {
			parameter: `{tree?: #Tree}
			#Tree: {name: string}`,
			want: `{"type": "object", "x-vela-order": ["tree"], "properties": {"tree": {"type": "object", "required": ["name"], "x-vela-order": ["name"], "properties": {"name": {"type": "string"}}}}}`,
		},
		"a string or an object": {
			parameter: `{x?: string | {a: int}, n?: null | string}`,
			want: `{"type": "object", "x-vela-order": ["x", "n"], "properties": {
				"x": {"oneOf": [{"type": "string"}, {"type": "object", "required": ["a"], "x-vela-order": ["a"], "properties": {"a": {"type": "integer"}}}]},
				"n": {"type": "string", "nullable": true}}}`,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			tmpl, err := cue.NewEngine(cue.Options{}).Compile(cue.Source{Kind: "component", Name: "test", Text: "parameter: " + tc.parameter})
			if err != nil {
				t.Fatal(err)
			}
			s, err := tmpl.Schema()
			if err != nil {
				t.Fatal(err)
			}
			b, err := json.Marshal(s)
			if err != nil {
				t.Fatal(err)
			}
			var got, want any
			if err := json.Unmarshal(b, &got); err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal([]byte(tc.want), &want); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("Schema() mismatch (-want +got):\n%s", diff)
			}
		})
	}
}
