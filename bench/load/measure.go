package main

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

const header = `| run | N | vela-core CPU s | per N | requests | per N | by verb, per N | renders | peak MiB | wall s |
|---|---|---|---|---|---|---|---|---|---|`

// A sample is what the controller has used so far.
type sample struct {
	at       time.Time
	cpu      time.Duration
	requests map[string]float64 // by method
	renders  float64
}

// measure takes a sample before and after do, and prints the row.
func (l *load) measure(ctx context.Context, name string, n int, do func() error) error {
	if err := os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", l.pid), []byte("5"), 0); err != nil {
		return fmt.Errorf("reset the peak memory of vela-core: %w", err)
	}
	before, err := l.sample(ctx)
	if err != nil {
		return err
	}
	if err := do(); err != nil {
		return err
	}
	after, err := l.sample(ctx)
	if err != nil {
		return err
	}
	peak, err := procField(l.pid, "VmHWM:")
	if err != nil {
		return err
	}
	cpu := (after.cpu - before.cpu).Seconds()
	var total float64
	var verbs []string
	for _, m := range slices.Sorted(keys(after.requests)) {
		d := after.requests[m] - before.requests[m]
		total += d
		if d > 0 {
			verbs = append(verbs, fmt.Sprintf("%s %.2f", m, d/float64(n)))
		}
	}
	fmt.Printf("| %s | %d | %.2f | %.4f | %.0f | %.2f | %s | %.0f | %.0f | %.1f |\n", name, n, cpu, cpu/float64(n),
		total, total/float64(n), strings.Join(verbs, ", "), after.renders-before.renders, float64(peak)/1024,
		after.at.Sub(before.at).Seconds())
	return nil
}

func keys(m map[string]float64) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

func (l *load) sample(ctx context.Context) (sample, error) {
	s := sample{at: time.Now(), requests: map[string]float64{}}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", l.pid))
	if err != nil {
		return s, fmt.Errorf("vela-core is gone: %w", err)
	}
	// Fields after the command in brackets; 12 and 13 are user and system ticks of 10 ms.
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	for _, i := range []int{11, 12} {
		ticks, err := strconv.ParseInt(fields[i], 10, 64)
		if err != nil {
			return s, err
		}
		s.cpu += time.Duration(ticks) * 10 * time.Millisecond
	}
	return s, l.readMetrics(ctx, &s)
}

// readMetrics adds up rest_client_requests_total by method, and reads how often
// templates were evaluated.
func (l *load) readMetrics(ctx context.Context, into *sample) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+l.metrics+"/metrics", nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("read the metrics of vela-core: %w", err)
	}
	defer resp.Body.Close()
	scan := bufio.NewScanner(resp.Body)
	scan.Buffer(nil, 1<<20)
	for scan.Scan() {
		if text, ok := strings.CutPrefix(scan.Text(), "vela_render_evaluations_total "); ok {
			if into.renders, err = strconv.ParseFloat(text, 64); err != nil {
				return err
			}
		}
		labels, ok := strings.CutPrefix(scan.Text(), "rest_client_requests_total{")
		if !ok {
			continue
		}
		_, method, _ := strings.Cut(labels, `method="`)
		method, _, _ = strings.Cut(method, `"`)
		value, err := strconv.ParseFloat(labels[strings.LastIndexByte(labels, ' ')+1:], 64)
		if err != nil {
			return err
		}
		into.requests[method] += value
	}
	return scan.Err()
}

// procField reads a kB value of /proc/PID/status.
func procField(pid int, name string) (int64, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(data)) {
		if rest, ok := strings.CutPrefix(line, name); ok {
			return strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
		}
	}
	return 0, fmt.Errorf("/proc/%d/status has no %s", pid, name)
}
