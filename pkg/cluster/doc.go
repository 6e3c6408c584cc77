// Package cluster gives access to the clusters that Applications are delivered
// to: the hub itself, named "local", and the members that joined it.
//
// A Registry knows the members from their credential Secrets and follows what
// happens to those. A Cluster sends single requests as an identity that is an
// argument, and keeps the owned cache: one watch per kind with a label selector,
// which tells the live state of every object that belongs to an Application
// without asking, and says whose object changed. A cluster that goes away is
// unknown since a time; requests to it fail at once while others go on.
//
// Nothing here knows manifests, plans or inventories; that is delivery.
package cluster
