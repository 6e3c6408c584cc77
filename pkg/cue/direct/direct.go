// Package direct evaluates the part of CUE that definitions are made of without
// the CUE library: structs that merge, references, defaults, comprehensions,
// interpolation, plain types and a few functions. It is some twenty times
// faster, because it evaluates only what is asked for and allocates little.
//
// It never guesses. Whatever it does not know for sure (an unusual expression,
// a function, a disjunction of objects, and every error) ends in Unsure, and the
// caller evaluates the template with the CUE library instead, which also words
// the errors. What it does answer is what CUE answers; the tests of package cue
// compare both on every built-in definition and on random input.
//
// The model is CUE's own: a node is a list of conjuncts, each an expression with
// the scopes in which its names are looked up; unifying two structs means
// evaluating all their conjuncts in one node.
package direct

import (
	"errors"
	"sync"

	"cuelang.org/go/cue/ast"

	"github.com/seed-c5f95f19/vela/pkg/cue/patch"
)

// Unsure says that only the CUE library can tell.
var Unsure = errors.New("not evaluated directly")

var (
	// errMissing: a field does not exist, or a value is not known.
	errMissing = errors.New("missing")
	// errConflict: two values do not fit together.
	errConflict = errors.New("conflict")
)

// A Program is a template that is ready to run. It is immutable and safe for
// concurrent use.
type Program struct {
	root *structX
}

// Compile prepares a parsed file. Expressions that are not supported make only
// those runs Unsure that need them.
func Compile(f *ast.File) *Program {
	c := &compiler{imports: map[string]string{}}
	return &Program{root: c.file(f)}
}

// A Run is one evaluation. It is safe for concurrent use.
type Run struct {
	mu    sync.Mutex
	root  *node
	steps int
	depth int
	work  int
}

// What bounds a run; beyond it is Unsure. Steps are nodes and iterations, work
// is what one step can do much of: bytes that are made or searched, fields that
// are looked through.
const (
	maxSteps = 300_000
	maxDepth = 1_000
	maxWork  = 64 << 20
)

func (r *Run) charge(n int) error {
	r.work += n
	if r.work > maxWork {
		return Unsure
	}
	return nil
}

// Start begins an evaluation with the given top-level values, which must be
// normalised and are not modified. Nothing is evaluated yet.
func (p *Program) Start(input map[string]any) *Run {
	r := &Run{}
	r.root = &node{conjs: []conj{{x: p.root}, {data: input, isData: true}}}
	return r
}

// Check evaluates a top-level field as far as it is given and returns Unsure
// unless everything in it fits together.
func (r *Run) Check(name string) (err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	defer rescue(&err)
	n, err := r.lookup(r.root, name)
	if err != nil || n == nil {
		return sure(err)
	}
	return sure(r.check(n))
}

// Exists says that there is a field, known or not.
func (r *Run) Exists(path []string) (ok bool, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	defer rescue(&err)
	n := r.root
	for i, name := range path {
		if i > 0 {
			if n, err = r.value(n); err != nil {
				return false, sure(err)
			}
			if n.kind != isStruct {
				return false, Unsure
			}
		}
		if n, err = r.lookup(n, name); err != nil {
			return false, sure(err)
		}
		if n == nil {
			return false, nil
		}
	}
	return true, sure(r.complete(n))
}

// Value returns a field as a JSON-like value that the caller owns. ok is false
// when there is no such field.
func (r *Run) Value(path []string) (v any, ok bool, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	defer rescue(&err)
	n := r.root
	for i, name := range path {
		if i > 0 {
			if n, err = r.value(n); err != nil {
				return nil, false, sure(err)
			}
			if n.kind != isStruct {
				return nil, false, Unsure
			}
		}
		parent := n
		if n, err = r.lookup(n, name); err != nil {
			return nil, false, sure(err)
		}
		if n == nil {
			if i > 0 && r.check(parent) != nil {
				return nil, false, Unsure // something wrong may hide it
			}
			return nil, false, nil
		}
	}
	v, err = r.decode(n)
	if err != nil {
		return nil, true, sure(err)
	}
	return v, true, nil
}

// Patch returns a field with the markers of its template.
func (r *Run) Patch(path []string) (p patch.Patch, ok bool, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	defer rescue(&err)
	n := r.root
	var marks []patch.Markers
	for i, name := range path {
		if i > 0 {
			if n, err = r.value(n); err != nil {
				return p, false, sure(err)
			}
			if n.kind != isStruct {
				return p, false, Unsure
			}
		}
		parent := n
		if n, err = r.lookup(parent, name); err != nil {
			return p, false, sure(err)
		}
		if n == nil {
			return p, false, nil
		}
		marks = parent.marksOf(name)
	}
	root, err := r.patchNode(n)
	if err != nil {
		return p, true, sure(err)
	}
	return patch.New(root, patch.WholeOf(merged(marks), root)), true, nil
}

// Names lists the fields of a struct in no particular order.
func (r *Run) Names(path []string) (names []string, ok bool, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	defer rescue(&err)
	n := r.root
	for _, name := range path {
		if n, err = r.lookup(n, name); err != nil {
			return nil, false, sure(err)
		}
		if n == nil {
			return nil, false, nil
		}
		if n, err = r.value(n); err != nil {
			return nil, true, sure(err)
		}
		if n.kind != isStruct {
			return nil, true, Unsure
		}
	}
	if err := r.complete(n); err != nil {
		return nil, true, sure(err)
	}
	for _, a := range n.arcs {
		if regular(a.name) {
			names = append(names, a.name)
		}
	}
	return names, true, nil
}

// sure makes every error Unsure.
func sure(err error) error {
	if err == nil {
		return nil
	}
	return Unsure
}

// rescue turns a crash into Unsure: CUE evaluates instead.
func rescue(err *error) {
	if recover() != nil {
		*err = Unsure
	}
}
