package metrics_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/seed-c5f95f19/vela/pkg/metrics"
)

func TestStagesAreCountedByResult(t *testing.T) {
	registry := prometheus.NewRegistry()
	first, second := delivery(t, registry), delivery(t, registry)
	first.Stage("render", time.Second, nil)
	second.Stage("render", time.Second, nil)
	second.Stage("render", time.Second, errors.New("boom"))
	var none *metrics.Delivery
	none.Stage("render", time.Second, nil)

	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]uint64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			key := f.GetName()
			for _, l := range m.GetLabel() {
				key += " " + l.GetName() + "=" + l.GetValue()
			}
			got[key] = m.GetHistogram().GetSampleCount()
		}
	}
	want := map[string]uint64{
		"vela_delivery_stage_seconds result=ok stage=render":    2,
		"vela_delivery_stage_seconds result=error stage=render": 1,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Gather() mismatch (-want +got):\n%s", diff)
	}
}

func TestAnotherMetricOfTheNameIsAnError(t *testing.T) {
	registry := prometheus.NewRegistry()
	registry.MustRegister(prometheus.NewCounter(prometheus.CounterOpts{Name: "vela_delivery_stage_seconds", Help: "x"}))
	if _, err := metrics.NewDelivery(registry); err == nil {
		t.Error("NewDelivery() accepted a name that is taken")
	}
}

func delivery(t *testing.T, reg prometheus.Registerer) *metrics.Delivery {
	t.Helper()
	d, err := metrics.NewDelivery(reg)
	if err != nil {
		t.Fatal(err)
	}
	return d
}
