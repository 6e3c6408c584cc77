// Package worker evaluates templates in other processes: this binary, started
// again, with little memory, little time and no credentials.
//
//	func main() {
//		worker.Main() // returns unless this process was started as a worker
//		…
//		engine := cue.NewEngine(cue.Options{Sandbox: worker.NewPool(worker.Options{})})
//
// The CUE library cannot be stopped, and some texts make it overflow its stack,
// which no Go process survives. A worker that takes too long, needs too much or
// dies is replaced; the evaluation ends in a *cue.Runaway, and package cue
// quarantines the text. Provider calls are made by the process that asked: while
// one lasts, the evaluation is parked and its worker serves others.
//
// Files: pool.go and process.go are the side that asks, with client.go as the
// cue.Sandbox; serve.go, watch.go and server.go are the worker; message.go is
// what they say to each other.
package worker
