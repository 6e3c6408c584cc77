//go:build !linux

package worker_test

// replaced does nothing: only Linux knows the program of a process apart from its path.
func replaced() {}
