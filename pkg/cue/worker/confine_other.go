//go:build !linux && !darwin

package worker

import "time"

func confine(int64) {}

// processorTime is not known here: the time by the clock bounds a request.
func processorTime() time.Duration { return 0 }
