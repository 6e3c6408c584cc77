//go:build race

package worker_test

// raced says that the race detector makes everything several times slower, so
// that other templates run out of time.
const raced = true
