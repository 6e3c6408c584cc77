// Package soak renders every built-in definition very often, with changing
// properties, and looks at what that leaves behind: memory that grows, results
// that differ from those of a serial run, evaluations that need more of CUE
// than they did. `make soak` is the long run; the tests of this package are the
// short one.
package soak
