package provider

import "time"

// A Memory is what a step keeps between its attempts, until it is done. It is
// safe for concurrent use.
type Memory interface {
	Session() string // identifies the step in one run of its workflow
	Now() time.Time
	Recall(key string) string // "" for what was never remembered
	Remember(key, value string)
}
