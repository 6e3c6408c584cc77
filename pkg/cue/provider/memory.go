package provider

import "time"

// A Memory is what a step keeps between its attempts, until it is done. It is
// safe for concurrent use.
type Memory interface {
	Now() time.Time
	Recall(key string) string // "" for what was never remembered
	Remember(key, value string)
}
