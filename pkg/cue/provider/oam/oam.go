// Package oam is the provider package "vela/oam": templates of workflow steps
// apply and render components of the Application that they belong to.
//
// What it needs is stated in Deployer and Application and implemented by the
// delivery, so that a step written in CUE goes through the same plan, dispatch
// and inventory as everything else.
package oam
