package workflow

import (
	"context"
	"time"
)

// Run does all work that can be done now and returns how far the workflow has
// come. again is the earliest time at which it has to be called again even if
// nothing happens, zero when only an event can bring it further. The error is
// about ctx or the spec as a whole; what goes wrong in a step is in its
// progress. Progress is valid in either case.
func Run(ctx context.Context, spec Spec, progress Progress, env Env) (next Progress, again time.Time, err error) {
	return progress, time.Time{}, nil
}
