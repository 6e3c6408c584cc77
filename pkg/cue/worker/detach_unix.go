//go:build unix

package worker

import (
	"os/exec"
	"syscall"
)

// detach keeps a worker out of the process group: an interrupt from the
// terminal is for the program that started it.
func detach(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }
