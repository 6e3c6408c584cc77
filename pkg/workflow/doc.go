// Package workflow runs the steps of a workflow in order.
//
// It knows steps, their order, conditions, values, retries, suspensions and
// approvals, and nothing about Applications, objects or clusters: what a step
// does is behind a Runner. Run is re-entrant: it gets the Progress that an
// earlier call returned, does what can be done now and returns at once. Nothing
// in it waits for time to pass; the caller calls again at the returned time or
// when something happened. Apart from its Runners, Run is a pure function of
// its arguments, so a process may die at any point and the next one continues
// from the last Progress that was stored.
//
// Suspend, Resume, Terminate, Restart and RestartFrom are what people do to a
// workflow; they are pure functions from Progress to Progress that the
// controller and the command line share.
package workflow
