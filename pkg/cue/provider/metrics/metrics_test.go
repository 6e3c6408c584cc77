package metrics_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/seed-c5f95f19/vela/pkg/cue"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider"
	velahttp "github.com/seed-c5f95f19/vela/pkg/cue/provider/http"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider/metrics"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider/op"
)

// memory is what a step remembers, at a time.
type memory struct {
	now  time.Time
	kept map[string]string
}

func (m *memory) Now() time.Time             { return m.now }
func (m *memory) Recall(key string) string   { return m.kept[key] }
func (m *memory) Remember(key, value string) { m.kept[key] = value }

// prometheus answers queries as Prometheus does: numbers are scalars, error is a
// query that it cannot read, several gives two series, and value what it holds.
type prometheus struct{ value string }

func (p *prometheus) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query().Get("query")
	if r.URL.Path != "/prefix/api/v1/query" {
		http.NotFound(w, r)
		return
	}
	series := func(value string) string {
		return fmt.Sprintf(`{"metric":{"__name__":"up"},"value":[1767323045.123,%q]}`, value)
	}
	switch query {
	case "error":
		w.WriteHeader(http.StatusBadRequest)
		_, _ = fmt.Fprint(w, `{"status":"error","errorType":"bad_data","error":"parse error: unexpected end\nof input"}`)
	case "several":
		_, _ = fmt.Fprintf(w, `{"status":"success","data":{"resultType":"vector","result":[%s,%s]}}`, series("1"), series("2"))
	case "none":
		_, _ = fmt.Fprint(w, `{"status":"success","data":{"resultType":"vector","result":[]}}`)
	case "range":
		_, _ = fmt.Fprint(w, `{"status":"success","data":{"resultType":"matrix","result":[]}}`)
	case "scalar(up)":
		_, _ = fmt.Fprintf(w, `{"status":"success","data":{"resultType":"scalar","result":[1767323045.123,%q]}}`, p.value)
	case "html":
		_, _ = fmt.Fprint(w, `<html>`)
	default:
		_, _ = fmt.Fprintf(w, `{"status":"success","data":{"resultType":"vector","result":[%s]}}`, series(p.value))
	}
}

// A move is a look at a value after some time.
type move struct {
	after time.Duration
	value string
	want  string // result, failed and message
}

func TestPromCheck(t *testing.T) {
	cases := map[string]struct {
		query, condition string
		flat             bool
		moves            []move
	}{
		"what is true for long enough passes": {query: "up", condition: ">= 0.99", moves: []move{
			{0, "1", "false false the metric is >= 0.99, which has to last for 5m"},
			{2 * time.Minute, "0.995", "false false the metric is >= 0.99, which has to last for 5m"},
			{3 * time.Minute, "0.99", "true false the metric was >= 0.99 for 5m"},
		}},
		"what is false for long enough fails": {query: "up", condition: ">= 0.99", moves: []move{
			{0, "0.5", "false false the metric is not >= 0.99, which must not last for 2m"},
			{2 * time.Minute, "0.25", "false true the metric was not >= 0.99 for 2m; it is 0.25"},
		}},
		"a break begins anew": {query: "up", condition: "> 1", moves: []move{
			{0, "2", "false false the metric is > 1, which has to last for 5m"},
			{4 * time.Minute, "1", "false false the metric is not > 1, which must not last for 2m"},
			{time.Minute, "2", "false false the metric is > 1, which has to last for 5m"},
			{4 * time.Minute, "2", "false false the metric is > 1, which has to last for 5m"},
			{time.Minute, "2", "true false the metric was > 1 for 5m"},
		}},
		"a scalar in the older dialect": {query: "scalar(up)", condition: "== 3", flat: true, moves: []move{
			{0, "3", "false false the metric is == 3, which has to last for 5m"},
			{5 * time.Minute, "3", "true false the metric was == 3 for 5m"},
		}},
		"a condition with a calculation": {query: "up", condition: "/ 2 > 1", moves: []move{
			{0, "3", "false false the metric is / 2 > 1, which has to last for 5m"},
		}},
		"what is no number meets nothing": {query: "up", condition: "!= 1", moves: []move{
			{0, "NaN", "false false the metric is not != 1, which must not last for 2m"},
			{0, "+Inf", "false false the metric is not != 1, which must not last for 2m"},
			{0, "-3e-05", "false false the metric is != 1, which has to last for 5m"},
		}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			p := &prometheus{}
			server := httptest.NewServer(p)
			defer server.Close()
			m := &memory{now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), kept: map[string]string{}}
			for i, move := range tc.moves {
				m.now, p.value = m.now.Add(move.after), move.value
				got, err := check(t, server.URL, tc.query, tc.condition, tc.flat, m)
				if err != nil {
					t.Fatal(err)
				}
				if got != move.want {
					t.Errorf("look %d: %s, want %s", i, got, move.want)
				}
			}
		})
	}
}

func TestPromCheckErrors(t *testing.T) {
	server := httptest.NewServer(&prometheus{value: "1"})
	defer server.Close()
	cases := map[string]struct{ url, query, condition, want string }{
		"a query that Prometheus cannot read": {server.URL, "error", "> 1", "query: Prometheus says: parse error: unexpected end"},
		"several values":                      {server.URL, "several", "> 1", "query: expected one value, got 2; aggregate them, such as by sum()"},
		"no value":                            {server.URL, "none", "> 1", "query: expected one value, got 0"},
		"a range":                             {server.URL, "range", "> 1", `query: expected one value, got a result of type "matrix"`},
		"another server":                      {server.URL, "html", "> 1", "the answer with status 200 is not one of Prometheus"},
		"no server":                           {"http://127.0.0.1:1", "up", "> 1", "GET http://127.0.0.1:1: "},
		"an address that is none":             {"prometheus", "up", "> 1", "metricEndpoint: expected an address"},
		"a condition that is none":            {server.URL, "up", "big", `condition: expected a comparison such as ">= 0.99", got "big"`},
		"a condition that calls something":    {server.URL, "up", "> len([1,2])", "condition: expected a comparison"},
		"a condition that is a sum":           {server.URL, "up", "+ 1", "condition: expected a comparison"},
		"a condition with a text":             {server.URL, "up", `> "x"`, "cannot be compared with 1"},
		"a condition with an end":             {server.URL, "up", "> 1) | (0 > -1", "condition: expected a comparison"},
		"a condition that is long":            {server.URL, "up", "> 1" + strings.Repeat(" + 1", 100), "condition: expected a comparison"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := check(t, tc.url, tc.query, tc.condition, false, &memory{kept: map[string]string{}})
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error = %v, want %q", err, tc.want)
			}
		})
	}
}

func check(t *testing.T, url, query, condition string, flat bool, m provider.Memory) (string, error) {
	t.Helper()
	if strings.HasPrefix(url, "http") {
		url += "/prefix"
	}
	params := fmt.Sprintf(`{query: %s, metricEndpoint: %s, condition: %s}`, quoted(t, query), quoted(t, url), quoted(t, condition))
	text := "import \"vela/metrics\"\nc: metrics.#PromCheck & {$params: " + params + "}\ngot: \"\\(c.$returns.result) \\(c.$returns.failed) \\(c.$returns.message)\""
	if flat {
		text = "import \"vela/op\"\nc: op.#PromCheck & " + params + "\ngot: \"\\(c.result) \\(c.failed) \\(c.message)\""
	}
	engine := cue.NewEngine(cue.Options{Packages: append(op.Schemas(), metrics.Schema())})
	tmpl, err := engine.Compile(cue.Source{Kind: "test", Name: "it", Text: text})
	if err != nil {
		t.Fatal(err)
	}
	client := velahttp.NewClient(func(netip.Addr) error { return nil }, nil)
	res, err := tmpl.Eval(t.Context(), cue.Input{Actions: provider.NewTable(metrics.New(metrics.Options{Client: client, Memory: m}))})
	if err != nil {
		return "", err
	}
	got, err := res.Expr("got")
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(got), nil
}

func quoted(t *testing.T, text string) string {
	t.Helper()
	b, err := json.Marshal(text)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
