package worker

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"time"
)

// How an answer begins.
const (
	fine   = 0
	retire = 1 // the worker holds so much that another should follow it
)

// Exit codes of a worker.
const (
	exitTime   = 40
	exitMemory = 41
	exitBroken = 42
)

// Main is called first by every program that makes a Pool. It returns at once
// unless this process was started as a worker; then it works and never returns.
func Main() {
	limits, ok := os.LookupEnv(mark)
	if !ok {
		return
	}
	var memory, stack, processor int64
	if _, err := fmt.Sscanf(limits, "%d,%d,%d", &memory, &stack, &processor); err != nil {
		fmt.Fprintln(os.Stderr, "worker:", err)
		os.Exit(exitBroken)
	}
	debug.SetMaxStack(int(stack))
	debug.SetMemoryLimit(memory * 3 / 4)
	confine(memory*2 + 256<<20) // the heap keeps some room for itself
	serve(newWatch(memory, time.Duration(processor)), memory)
	os.Exit(0)
}

// serve answers one request after the other until the other side is gone.
func serve(w *watch, memory int64) {
	out := os.Stdout
	os.Stdout = os.Stderr // nobody else writes answers
	requests := make(chan []byte)
	go func() {
		in := bufio.NewReaderSize(os.Stdin, 64<<10)
		for {
			b, err := readFrame(in)
			if err != nil {
				os.Exit(0) // also in the middle of an evaluation that does not end
			}
			requests <- b
		}
	}()
	s := newServer()
	for b := range requests {
		w.begin()
		reply := s.answer(b)
		w.end()
		state := byte(fine)
		if used() > memory/2 {
			s.forget()
			runtime.GC()
			if used() > memory/4 {
				state = retire
			}
		}
		if err := writeFrame(out, append([]byte{state}, reply...)); err != nil {
			return
		}
	}
}
