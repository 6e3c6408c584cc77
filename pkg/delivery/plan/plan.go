// Package plan decides what must change on the clusters, without touching
// them. It compares the manifests that an Application wants with the
// inventory of what it owns and with what is live. A Plan is a value: dispatch
// executes it, `vela plan` prints it, an approval is bound to its digest, and
// tests compare it. Nothing here does IO.
package plan
