package cue

import (
	"fmt"
	"runtime"
	"time"

	"github.com/seed-c5f95f19/vela/pkg/cue/value"
)

// Limits bound what one template, one input and one engine may use. A zero
// field means its default.
type Limits struct {
	TemplateBytes int           // text of one template (256 KiB)
	InputBytes    int           // parameter plus context (8 MiB: live objects are part of the context)
	InputDepth    int           // nesting of the input (64)
	InputKeys     int           // number of fields and elements (100,000)
	KeyBytes      int           // length of one key (4 KiB)
	OutputBytes   int           // size of one decoded value (16 MiB)
	Repeat        int           // largest constant count for list.Repeat, strings.Repeat, list.Range (100,000)
	Budget        time.Duration // time of one evaluation (10s); beyond it the template is quarantined
	Calls         int           // provider calls of one evaluation (10,000)
	Workers       int           // evaluations that run at the same time (2 × GOMAXPROCS)

	Cells     int           // compiled templates kept (2,000)
	CellBytes int64         // estimate of their memory (512 MiB)
	CellIdle  time.Duration // a cell unused for so long is dropped (30m)
	CellEvals int64         // evaluations after which a cell is compiled anew (100,000)
}

func (l Limits) withDefaults() Limits {
	def(&l.TemplateBytes, 256<<10)
	def(&l.InputBytes, 8<<20)
	def(&l.InputDepth, 64)
	def(&l.InputKeys, 100_000)
	def(&l.KeyBytes, 4<<10)
	def(&l.OutputBytes, 16<<20)
	def(&l.Repeat, 100_000)
	def(&l.Budget, 10*time.Second)
	def(&l.Calls, 10_000)
	def(&l.Workers, 2*runtime.GOMAXPROCS(0))
	def(&l.Cells, 2000)
	def(&l.CellBytes, 512<<20)
	def(&l.CellIdle, 30*time.Minute)
	def(&l.CellEvals, 100_000)
	return l
}

// caps are the limits of one input.
func (l Limits) caps() value.Caps {
	return value.Caps{Bytes: l.InputBytes, Depth: l.InputDepth, Keys: l.InputKeys, KeyBytes: l.KeyBytes}
}

func def[T int | int64 | time.Duration](p *T, v T) {
	if *p == 0 {
		*p = v
	}
}

// limitError says which cap an input broke.
func limitError(path, format string, args ...any) *Error {
	return &Error{Kind: Limit, Path: path, Message: fmt.Sprintf(format, args...)}
}
