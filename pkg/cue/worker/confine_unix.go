//go:build linux || darwin

package worker

import (
	"os"
	"syscall"
	"time"
)

// confine makes the kernel refuse what the watch is too slow for, such as one
// allocation of many gigabytes, lets everybody else go first, and offers this
// process to the kernel when memory is short. What the system does not allow is
// left out: the watch remains.
func confine(memory int64) {
	limit := syscall.Rlimit{Cur: uint64(memory), Max: uint64(memory)}
	_ = syscall.Setrlimit(syscall.RLIMIT_DATA, &limit)
	_ = syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{})
	_ = syscall.Setpriority(syscall.PRIO_PROCESS, 0, 5)
	_ = os.WriteFile("/proc/self/oom_score_adj", []byte("1000"), 0)
}

// processorTime is what this process has used so far.
func processorTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
