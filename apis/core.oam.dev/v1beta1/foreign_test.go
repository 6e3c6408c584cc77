package v1beta1_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seed-c5f95f19/vela/apis/compression"
	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
)

// The same revision, with the nulls and empty objects that other writers leave
// in it, packed with the command line tools gzip and zstd.
const (
	packedByGzip = "H4sIAAAAAAACA4VRTU/DMAz9Lz5PQ7v2htgVwQFxQRzcxCtmTRwlWUs19b/jVNHoEB+nxPbze372GTCEng1mFg/NGY7sLTRwu8puFMPPFNMCASORtoJua2m4GXYtZdwpxulrMWMh8ehIkSO1WjCRFp4ndpQyugCNP/X9vIEUyBS4ERfEk88Jmpdv3XkKNUgUBzakuRAlUMxMqXSzw65AfMf+A+b5tTBnzKdSnTW40O/pwJ7LLEvjilOjn+f/Ev3fxijx2Ava8q9ja5+9iJb81SZ19Uk3qKC69T2FXiano6qPaxsaBdGTVNPjG0Va3eux1KZfzrBg/3JQp82iEtJNUNQiHShGsg/tO5l6mSp2J/7A3T0G0GV/ApU65KVCAgAA"
	packedByZstd = "KLUv/QRolQgAEo8rHHBNc8gFEIlQkd3MOy1mI01W6uOfOWFF31f9b0KREb1pcFSjKSH9wRyaO/fGnR9Hl67CB3F3xySppRujYTt7dO0LyG83GyM3qQvidKKaaryAYozAhIwYTWnKaU4y9a6g+6pbIz8pifvbBy4WP9jedJmm9H1Gca1IW7ws4TtTibtkZOaTs2wJs0l4ZmRBwjMCSUDyBsBSAXea/NwVatNo4MVNUxBXFjdVMJNau+lKJyAgRkCYQj2wGeg0fxx7sTMoQuB9BUX0noHNZh7e+aFlKXN+XghcBEBNe/AAcBfSjQTPYiUu8DYYXiEOcMXAD/BQKKJ2BI10s2PeCLYMyobg/UmtLas9AAHyeMZ7SoOPAdpU0+g="
)

func TestRevisionsOfOtherWritersAreRead(t *testing.T) {
	for typ, data := range map[compression.Type]string{compression.Gzip: packedByGzip, compression.Zstd: packedByZstd} {
		t.Run(string(typ), func(t *testing.T) {
			wire := fmt.Sprintf(`{"metadata":{"name":"web-v1","creationTimestamp":null},"spec":{
				"application":{"metadata":{"creationTimestamp":null},"spec":{"components":[]},"status":{}},
				"compression":{"type":%q,"data":%q}},"status":{"succeeded":true}}`, typ, data)
			var rev v1beta1.ApplicationRevision
			if err := json.Unmarshal([]byte(wire), &rev); err != nil {
				t.Fatal(err)
			}
			got := map[string]string{
				"application": rev.Spec.Application.Name,
				"component":   rev.Spec.Application.Spec.Components[0].Name,
				"properties":  string(rev.Spec.Application.Spec.Components[0].Properties.Raw),
				"workload":    rev.Spec.ComponentDefinitions["webservice"].Spec.Workload.Definition.Kind,
				"policy":      rev.Spec.Policies["where"].Type,
				"referred":    string(rev.Spec.ReferredObjects[0].Raw),
				"compression": string(rev.Spec.Compression.Type) + rev.Spec.Compression.Data,
			}
			want := map[string]string{
				"application": "web",
				"component":   "web",
				"properties":  `{"image":"nginx"}`,
				"workload":    "Deployment",
				"policy":      "topology",
				"referred":    `{"kind":"ConfigMap"}`,
				"compression": string(typ),
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("revision mismatch (-want +got):\n%s", diff)
			}
		})
	}
}
