// Package bench holds benchmarks of whole paths through the program, with the
// built-in definitions. They measure; the tests beside them hold counters that
// do not depend on the machine, so that a slow change fails.
package bench
