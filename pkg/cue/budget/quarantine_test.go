package budget_test

import (
	"fmt"
	"testing"

	"github.com/seed-c5f95f19/vela/pkg/cue/budget"
)

func TestQuarantineBlamesWhatIsToBlame(t *testing.T) {
	cases := map[string]struct {
		do          func(*budget.Quarantine)
		here, there string // why the text is not evaluated with the input "a", with "b"
		inputs      int
		proven      bool
	}{
		"a text nobody has seen":                  {do: func(*budget.Quarantine) {}},
		"a text that behaves":                     {do: func(q *budget.Quarantine) { q.Pass("t") }, proven: true},
		"a text that never worked is out":         {do: func(q *budget.Quarantine) { q.Strike("t", "a", "loops") }, here: "loops", there: "loops"},
		"one that worked is out for one input":    {do: func(q *budget.Quarantine) { q.Pass("t"); q.Strike("t", "a", "loops") }, here: "loops", inputs: 1},
		"what has no input is about the text":     {do: func(q *budget.Quarantine) { q.Pass("t"); q.Strike("t", "", "loops") }, here: "loops", there: "loops"},
		"working again does not heal a bad input": {do: func(q *budget.Quarantine) { q.Pass("t"); q.Strike("t", "a", "loops"); q.Pass("t") }, here: "loops", inputs: 1},
		"too many bad inputs": {do: func(q *budget.Quarantine) {
			q.Pass("t")
			for i := range 51 {
				q.Strike("t", fmt.Sprint(i), "loops")
			}
		}, here: "loops", there: "loops"},
		"ours is never out as a whole": {do: func(q *budget.Quarantine) {
			q.Trust("t")
			q.Strike("t", "", "loops")
			for i := range 60 {
				q.Strike("t", fmt.Sprint(i), "loops")
			}
			q.Strike("t", "a", "loops")
		}, here: "loops", inputs: 11},
		"another text": {do: func(q *budget.Quarantine) { q.Strike("u", "a", "loops") }},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			q := budget.NewQuarantine()
			tc.do(q)
			if got, _ := q.Why("t", "a"); got != tc.here {
				t.Errorf("Why(a) = %q, want %q", got, tc.here)
			}
			if got, _ := q.Why("t", "b"); got != tc.there {
				t.Errorf("Why(b) = %q, want %q", got, tc.there)
			}
			if _, inputs, _ := q.Trouble("t"); inputs != tc.inputs {
				t.Errorf("Trouble() counts %d inputs, want %d", inputs, tc.inputs)
			}
			if got := q.Proven("t"); got != tc.proven {
				t.Errorf("Proven() = %v, want %v", got, tc.proven)
			}
		})
	}
}

// However many texts fail, what is remembered is bounded.
func TestQuarantineIsBounded(t *testing.T) {
	q := budget.NewQuarantine()
	for i := range 20_000 {
		q.Strike(fmt.Sprint(i), "", "loops")
	}
	if got := q.Len(); got != 10_000 {
		t.Errorf("Len() = %d, want 10000", got)
	}
}
