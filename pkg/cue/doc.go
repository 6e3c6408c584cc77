// Package cue runs definitions: it compiles a template once, fills parameters
// and context into it, performs the provider calls that it contains, and hands
// back plain Go values.
//
//	engine := cue.NewEngine(cue.Options{Packages: provider.Sources(kube, http)})
//	tmpl, err := engine.Compile(cue.Source{Kind: "component", Name: "webservice", Text: text})
//	res, err := tmpl.Eval(ctx, cue.Input{Parameter: properties, Context: fields})
//	workload, err := res.Output()
//
// It knows the template contract (parameter, context, output, outputs, patch,
// errs, provider calls) but no Kubernetes kind and no Application: render,
// observe and the workflow steps stand on it. Everything is safe for concurrent
// use. Errors are *Error values that speak of the user's properties; text of the
// CUE library never leaves this package.
package cue
