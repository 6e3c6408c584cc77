// Package metrics declares the metrics that describe deliveries as a whole.
//
// Names are vela_<area>_<noun>_<unit>, labels have few values. What one package
// alone measures is declared there; nothing here starts a server or reads a
// clock.
package metrics

import (
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Delivery times what happens to Applications. It is safe for concurrent use; a
// nil Delivery measures for nobody.
type Delivery struct {
	stages *prometheus.HistogramVec
}

// NewDelivery registers the metrics with reg. Two with one reg measure together.
func NewDelivery(reg prometheus.Registerer) (*Delivery, error) {
	stages := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "vela_delivery_stage_seconds",
		Help:    "Time spent in one stage of the life of an Application, by stage and result.",
		Buckets: prometheus.ExponentialBuckets(0.0005, 4, 9), // half a millisecond to half a minute
	}, []string{"stage", "result"})
	err := reg.Register(stages)
	var twice prometheus.AlreadyRegisteredError
	if errors.As(err, &twice) {
		if existing, ok := twice.ExistingCollector.(*prometheus.HistogramVec); ok {
			return &Delivery{stages: existing}, nil
		}
	}
	if err != nil {
		return nil, err
	}
	return &Delivery{stages: stages}, nil
}

// Stage records how long a stage took and whether it failed with err.
func (d *Delivery) Stage(stage string, took time.Duration, err error) {
	if d == nil {
		return
	}
	result := "ok"
	if err != nil {
		result = "error"
	}
	d.stages.WithLabelValues(stage, result).Observe(took.Seconds())
}
