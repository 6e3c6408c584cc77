// Package metrics declares the metrics that describe a delivery as a whole.
//
// Names are vela_<area>_<noun>_<unit>, labels have few values. What one package
// alone measures is declared there; nothing here starts a server or reads a
// clock. A Delivery is safe for concurrent use.
package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Delivery counts and times what happens to Applications. The zero value is not
// usable; NewDelivery makes one.
type Delivery struct {
	stages   *prometheus.HistogramVec
	requests *prometheus.CounterVec
	outcomes *prometheus.CounterVec
	renders  prometheus.Counter
}

// NewDelivery registers the metrics with r. Registering twice with one r is an
// error of the program and panics.
func NewDelivery(r prometheus.Registerer) *Delivery {
	d := &Delivery{
		stages: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "vela_delivery_stage_seconds",
			Help:    "Time spent in one stage of a delivery.",
			Buckets: prometheus.ExponentialBuckets(0.0005, 4, 9),
		}, []string{"stage"}),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "vela_dispatch_objects_total",
			Help: "Objects that a plan wrote, by action and result.",
		}, []string{"action", "result"}),
		outcomes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "vela_application_reconciles_total",
			Help: "Reconciles of Applications, by outcome.",
		}, []string{"outcome"}),
		renders: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "vela_render_components_total",
			Help: "Components that were rendered, not taken from the cache.",
		}),
	}
	r.MustRegister(d.stages, d.requests, d.outcomes, d.renders)
	return d
}

// Stage records how long a stage took.
func (d *Delivery) Stage(stage string, took time.Duration) {
	d.stages.WithLabelValues(stage).Observe(took.Seconds())
}

// Object counts one object that was created, changed or deleted, or was refused.
func (d *Delivery) Object(action, result string) {
	d.requests.WithLabelValues(action, result).Inc()
}

// Reconcile counts one reconcile of an Application.
func (d *Delivery) Reconcile(outcome string) { d.outcomes.WithLabelValues(outcome).Inc() }

// Render counts one component that was rendered.
func (d *Delivery) Render() { d.renders.Inc() }
