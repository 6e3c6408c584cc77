package budget_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/seed-c5f95f19/vela/pkg/cue/budget"
)

// Who has one name excludes others from that name only.
func TestLocksAreByName(t *testing.T) {
	var l budget.Locks
	counts := make([]int, 10) // each guarded by the lock of its index
	var wg sync.WaitGroup
	for i := range 10 {
		for range 20 {
			wg.Add(1)
			go func() {
				defer wg.Done()
				defer l.Lock(fmt.Sprint(i))()
				counts[i]++
			}()
		}
	}
	wg.Wait()
	for i, n := range counts {
		if n != 20 {
			t.Errorf("counts[%d] = %d, want 20", i, n)
		}
	}
	defer l.Lock("a")()
	l.Lock("b")() // must not wait for a
}
