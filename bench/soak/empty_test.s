// Functions without a body are allowed where there is assembly: see counters_test.go.
