package metrics_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/seed-c5f95f19/vela/pkg/metrics"
)

func TestDelivery(t *testing.T) {
	registry := prometheus.NewRegistry()
	d := metrics.NewDelivery(registry)
	d.Stage("render", time.Second)
	d.Object("create", "ok")
	d.Object("create", "ok")
	d.Reconcile("done")
	d.Render()

	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			got[f.GetName()] += m.GetCounter().GetValue() + float64(m.GetHistogram().GetSampleCount())
		}
	}
	want := map[string]float64{
		"vela_delivery_stage_seconds":       1,
		"vela_dispatch_objects_total":       2,
		"vela_application_reconciles_total": 1,
		"vela_render_components_total":      1,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Gather() mismatch (-want +got):\n%s", diff)
	}
}
