// Package text works on the text of templates before anything is evaluated: it
// learns what a template reads, rewrites what earlier versions of CUE allowed,
// and finds what would never end or fill the memory. It stands under package cue
// and knows syntax trees only.
package text

// A Problem is something in a text that must not be evaluated.
type Problem struct {
	Line    int // in the definition
	Message string
}
