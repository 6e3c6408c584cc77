package render

import "github.com/prometheus/client_golang/prometheus"

// Collector counts the requests that had to be evaluated: an Application at
// rest causes none.
func (r *Renderer) Collector() prometheus.Collector {
	return prometheus.NewCounterFunc(prometheus.CounterOpts{
		Name: "vela_render_evaluations_total",
		Help: "Components that were rendered by evaluating their templates, and not remembered.",
	}, func() float64 {
		_, misses := r.Stats()
		return float64(misses)
	})
}
