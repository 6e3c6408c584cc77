// Package blueprint turns an Application into a Blueprint: what was asked
// for, with every name resolved and every definition pinned by content. It
// is stages one and two of a delivery (parse, resolve). It renders nothing
// and writes nothing; what comes after reads no definition from any cluster.
package blueprint
