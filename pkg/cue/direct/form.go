package direct

import (
	"regexp"

	"cuelang.org/go/cue/token"

	"github.com/seed-c5f95f19/vela/pkg/cue/patch"
)

// The forms of expressions.
type (
	expr any

	litX   struct{ v any } // nil, bool, int64, float64, string
	topX   struct{}
	typeX  struct{ k kinds }
	boundX struct {
		op token.Token
		x  expr
	}
	matchX struct {
		re   *regexp.Regexp
		want bool
	}
	refX struct { // a field of an enclosing struct
		up   int
		name string
	}
	varX struct { // a variable of a for, or a let of a comprehension
		up  int
		key bool
	}
	selX struct {
		x    expr
		name string
	}
	idxX struct{ x, i expr }
	andX struct{ a, b expr }
	orX  struct{ alts []altX }
	altX struct {
		x   expr
		def bool
	}
	binX struct {
		op   token.Token
		a, b expr
	}
	notX    struct{ x expr }
	negX    struct{ x expr }
	interpX struct{ parts []expr } // literals and expressions in turn
	callX   struct {
		fn   function
		args []expr
	}
	closeX  struct{ s *structX } // close({...})
	bottomX struct{}
	badX    struct{} // not supported

	structX struct {
		fields   []fieldX
		comps    []*compX // comprehensions and embedded values
		patterns []patternX
		open     bool
		plain    bool // has no embedded values, so it is always a struct
	}
	fieldX struct {
		name  string
		dyn   expr // computes the name
		mode  fieldMode
		x     expr
		marks patch.Markers
	}
	patternX struct {
		all bool // applies to every regular field
		x   expr
	}
	compX struct {
		clauses []clauseX
		body    *structX
		embed   expr // instead of clauses and body: a plain embedded value
		labels  map[string]bool
		any     bool // may provide any field
	}
	clauseX struct {
		kind clauseKind
		x    expr
	}
	listX struct {
		elems []elemX
		open  bool
		rest  expr // may be nil
	}
	elemX struct {
		x    expr
		comp *compX
	}
)

type fieldMode uint8

const (
	present fieldMode = iota
	optional
	required
)

type clauseKind uint8

const (
	forClause clauseKind = iota
	ifClause
	letClause
)

// Hidden fields, definitions and lets live in the same table as other fields,
// under names that no other field can have.
const hiddenPrefix, letPrefix = "\x01", "\x02"

func regular(name string) bool { return name == "" || name[0] > 2 }
