// Package metrics is the provider package "vela/metrics": workflow steps compare
// what Prometheus knows with conditions.
//
// A check passes, or fails, when the condition was true, or false, for long
// enough without a break. Since when is in the memory of the step, so that a
// restart of the controller does not begin anew.
package metrics

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/seed-c5f95f19/vela/pkg/cue/provider"
	velahttp "github.com/seed-c5f95f19/vela/pkg/cue/provider/http"
)

//go:embed metrics.cue
var schema string

// Schema is the text that templates import.
func Schema() provider.Schema { return provider.Schema{Path: "vela/metrics", Text: schema} }

// Options are what the package needs for one run; without a Client or a Memory
// nothing is offered.
type Options struct {
	Client *velahttp.Client
	Memory provider.Memory // of the step
}

// New returns the package.
func New(o Options) provider.Package {
	p := provider.Package{Name: "metrics", Schema: schema}
	if o.Client != nil && o.Memory != nil {
		p.Read = provider.Actions{"promCheck": o.check}
	}
	return p
}

type checkIn struct {
	Query          string `json:"query"`
	MetricEndpoint string `json:"metricEndpoint"`
	Condition      string `json:"condition"`
	FailDuration   string `json:"failDuration"`
	Duration       string `json:"duration"`
}

type checkOut struct {
	Message string `json:"message,omitempty"`
	Failed  bool   `json:"failed"`
	Result  bool   `json:"result"`
}

func (o Options) check(ctx context.Context, call provider.Call) (any, error) {
	var in checkIn
	if err := provider.Decode(call.Params, &in); err != nil {
		return nil, fmt.Errorf("parameters of promCheck: %w", err)
	}
	succeed, err := duration("duration", in.Duration)
	if err != nil {
		return nil, err
	}
	fail, err := duration("failDuration", in.FailDuration)
	if err != nil {
		return nil, err
	}
	condition, err := parse(in.Condition)
	if err != nil {
		return nil, err
	}
	value, err := o.query(ctx, in)
	if err != nil {
		return nil, err
	}
	met, err := condition.holds(value)
	if err != nil {
		return nil, err
	}
	return provider.Encode(o.judge(call.Path, in, met, value, succeed, fail))
}

// judge says how the check stands. The message changes only with the state, not
// with every value.
func (o Options) judge(path string, in checkIn, met bool, value string, succeed, fail time.Duration) checkOut {
	for _, side := range []bool{true, false} {
		if side != met {
			o.Memory.Remember(key(path, side), "")
		}
	}
	lasted := o.lasted(key(path, met))
	switch {
	case met && lasted >= succeed:
		return checkOut{Result: true, Message: fmt.Sprintf("the metric was %s for %s", in.Condition, in.Duration)}
	case met:
		return checkOut{Message: fmt.Sprintf("the metric is %s, which has to last for %s", in.Condition, in.Duration)}
	case lasted >= fail:
		return checkOut{Failed: true, Message: fmt.Sprintf("the metric was not %s for %s; it is %s", in.Condition, in.FailDuration, value)}
	}
	return checkOut{Message: fmt.Sprintf("the metric is not %s, which must not last for %s", in.Condition, in.FailDuration)}
}

func key(path string, met bool) string {
	if met {
		return "met since " + path
	}
	return "not met since " + path
}

// lasted is how long ago key was remembered first.
func (o Options) lasted(key string) time.Duration {
	now := o.Memory.Now()
	since, err := time.Parse(time.RFC3339Nano, o.Memory.Recall(key))
	if err != nil {
		o.Memory.Remember(key, now.UTC().Format(time.RFC3339Nano))
		return 0
	}
	return now.Sub(since)
}

func duration(field, text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		return 0, fmt.Errorf("%s: expected a duration such as 30s or 5m, got %q", field, text)
	}
	return d, nil
}

// query asks Prometheus for the value of the moment.
func (o Options) query(ctx context.Context, in checkIn) (string, error) {
	base, err := url.Parse(in.MetricEndpoint)
	if err != nil || base.Scheme != "http" && base.Scheme != "https" || base.Host == "" {
		return "", fmt.Errorf("metricEndpoint: expected an address such as http://prometheus:9090")
	}
	u := base.JoinPath("api/v1/query")
	u.RawQuery = url.Values{"query": {in.Query}}.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return "", errors.New("metricEndpoint: expected an address such as http://prometheus:9090")
	}
	answer, err := o.Client.Fetch(ctx, req, velahttp.FetchOptions{})
	if err != nil {
		return "", err
	}
	return read(answer.Body, answer.Status)
}

// read takes the one value out of an answer of Prometheus.
func read(body []byte, status int) (string, error) {
	var answer struct {
		Status, Error string
		Data          struct {
			ResultType string
			Result     json.RawMessage
		}
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return "", fmt.Errorf("the answer with status %d is not one of Prometheus", status)
	}
	if answer.Status != "success" {
		return "", fmt.Errorf("query: Prometheus says: %s", firstLine(answer.Error))
	}
	var sample [2]any
	switch answer.Data.ResultType {
	case "vector":
		var list []struct{ Value [2]any }
		if err := json.Unmarshal(answer.Data.Result, &list); err != nil {
			return "", fmt.Errorf("the answer is not one of Prometheus: %w", err)
		}
		if len(list) != 1 {
			return "", fmt.Errorf("query: expected one value, got %d; aggregate them, such as by sum()", len(list))
		}
		sample = list[0].Value
	case "scalar":
		if err := json.Unmarshal(answer.Data.Result, &sample); err != nil {
			return "", fmt.Errorf("the answer is not one of Prometheus: %w", err)
		}
	default:
		return "", fmt.Errorf("query: expected one value, got a result of type %q", answer.Data.ResultType)
	}
	value, ok := sample[1].(string)
	if !ok {
		return "", errors.New("the answer is not one of Prometheus: its value is no text")
	}
	return value, nil
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}
