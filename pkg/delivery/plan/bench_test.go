package plan_test

import (
	"fmt"
	"testing"

	"sigs.k8s.io/yaml"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/seed-c5f95f19/vela/pkg/delivery/manifest"
	"github.com/seed-c5f95f19/vela/pkg/delivery/plan"
)

// BenchmarkCompute plans an Application at rest, by number of objects: the cost
// must grow with it and not faster.
func BenchmarkCompute(b *testing.B) {
	for _, n := range []int{30, 300} {
		in := plan.Input{Owner: me, Live: map[manifest.Key]plan.Live{}}
		for i := range n {
			obj := map[string]any{}
			text := fmt.Sprintf(`apiVersion: apps/v1
kind: Deployment
metadata: {name: web-%d, namespace: shop, labels: {app.oam.dev/name: store, app.oam.dev/namespace: shop}}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: nginx, env: [{name: A, value: b}], ports: [{containerPort: 80}]}]}`, i)
			if err := yaml.Unmarshal([]byte(text), &obj); err != nil {
				b.Fatal(err)
			}
			m := manifest.New("prod", &unstructured.Unstructured{Object: obj})
			live := m.Object.DeepCopy()
			live.SetAnnotations(map[string]string{plan.AnnotationAppliedDigest: m.Digest()})
			in.Desired = append(in.Desired, m)
			in.Live[m.Key] = plan.Live{Object: live, Known: true}
		}
		b.Run(fmt.Sprintf("%d objects", n), func(b *testing.B) {
			for b.Loop() {
				if p := plan.Compute(in); p.Writes() != 0 {
					b.Fatalf("%d writes at rest", p.Writes())
				}
			}
		})
	}
}
