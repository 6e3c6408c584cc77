package worker

import (
	"fmt"
	"os"
	"runtime/metrics"
	"sync"
	"time"
)

// A watch ends the process when a request uses too much: nothing smaller stops
// an evaluation.
type watch struct {
	memory    int64
	processor time.Duration

	mu    sync.Mutex
	busy  bool
	from  time.Duration // processor time when the request began
	timer *time.Timer
}

// look is how often a long request is looked at. Short ones end before.
const look = 10 * time.Millisecond

func newWatch(memory int64, processor time.Duration) *watch {
	w := &watch{memory: memory, processor: processor}
	w.timer = time.AfterFunc(look, w.look)
	return w
}

func (w *watch) begin() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.busy, w.from = true, processorTime()
	w.timer.Reset(look)
}

func (w *watch) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.busy = false
	w.timer.Stop()
}

func (w *watch) look() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.busy {
		return
	}
	if used() > w.memory {
		quit(exitMemory, "too much memory")
	}
	if processorTime()-w.from > w.processor {
		quit(exitTime, "too much time")
	}
	w.timer.Reset(look)
}

func quit(code int, why string) {
	fmt.Fprintln(os.Stderr, "worker:", why)
	os.Exit(code)
}

// used is the memory of heap and stacks.
func used() int64 {
	s := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/memory/classes/heap/stacks:bytes"}}
	metrics.Read(s)
	return int64(s[0].Value.Uint64() + s[1].Value.Uint64())
}
