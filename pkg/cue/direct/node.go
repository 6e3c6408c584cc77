package direct

import (
	"maps"
	"slices"

	"github.com/seed-c5f95f19/vela/pkg/cue/patch"
)

// env is a chain of scopes at run time.
type env struct {
	up   *env
	node *node // the struct that a struct literal contributes to
	key  any   // of a for: string or int64
	val  *node // of a for or let
}

// A conj is one of the conditions that a node has to fulfil.
type conj struct {
	x      expr
	env    *env
	data   any // when isData
	isData bool
	group  *group
}

// A group is one use of a definition: a node that has conjuncts of it may have
// no other fields than these declare.
type group struct {
	shallow bool // made by close(): fields of fields are free
}

type valueKind uint8

const (
	isTop valueKind = iota
	isScalar
	isStruct
	isList
	isType
	isChoice // a disjunction that is not decided
)

type state uint8

const (
	fresh state = iota
	expanding
	static // all conjuncts are seen, comprehensions may be left
	done
)

type arc struct {
	name    string
	node    *node
	marks   []patch.Markers
	settled bool // optional fields and patterns are added
}

type constraint struct {
	name string // of an optional field; patterns have none
	all  bool
	conj conj
}

// allowed are the names that one group declares in a node.
type allowed struct {
	group *group
	names map[string]bool
	open  bool
}

// A node is a value in the making.
type node struct {
	conjs []conj
	state state
	err   error
	alias *node // the node is nothing but a reference to this one
	kind  valueKind

	scalar    any
	hasScalar bool
	types     kinds // 0 is no condition
	bounds    []bound
	choices   []conj // disjunctions to decide
	def       *node  // default of an undecided disjunction

	arcs        []arc
	constraints []constraint
	pending     []*pending
	closed      []*allowed
	plainStruct bool // has a struct that cannot turn out to be a scalar
	structs     int
	sources     int  // of fields; with more than one the order of the fields is not known here
	unordered   bool // comprehensions contribute fields

	checking, checked bool // by check

	lists bool
	elems []*node
	open  bool
	rest  []conj
}

// pending is a comprehension or embedded value that was not evaluated yet.
type pending struct {
	comp  *compX
	env   *env
	group *group
	state state
}

func (p *pending) may(name string) bool { return p.comp.any || p.comp.labels[name] }

func dataNode(v any) *node { return &node{conjs: []conj{{data: v, isData: true}}} }

func scalarNode(v any) *node {
	return &node{state: done, kind: isScalar, scalar: v, hasScalar: true}
}

func listNode(elems []*node) *node {
	return &node{state: done, kind: isList, elems: elems, lists: true}
}

func (r *Run) step() error {
	r.steps++
	if r.steps > maxSteps || r.depth > maxDepth {
		return Unsure
	}
	return nil
}

// enter counts a level of recursion; leave ends it.
func (r *Run) enter() error {
	r.depth++
	return r.step()
}

func (r *Run) leave() { r.depth-- }

// expand looks at the conjuncts of n, without the comprehensions.
func (r *Run) expand(n *node) error {
	if n.err != nil {
		return n.err
	}
	switch n.state {
	case expanding:
		return Unsure // a cycle
	case static, done:
		return nil
	}
	n.state = expanding
	err := r.expandConjuncts(n)
	if err != nil {
		n.err = err
		return err
	}
	n.state = static
	return nil
}

func (r *Run) expandConjuncts(n *node) error {
	if len(n.conjs) == 1 && !n.conjs[0].isData && n.conjs[0].group == nil {
		target, ok, err := r.target(n, n.conjs[0])
		if err != nil {
			return err
		}
		if ok {
			if err := r.expand(target); err != nil {
				return err
			}
			n.alias = target // not earlier: a chain of these must have an end
			return nil
		}
	}
	// add may append what references stand for.
	for i := 0; i < len(n.conjs); i++ {
		if err := r.add(n, n.conjs[i]); err != nil {
			return err
		}
	}
	if n.structs > 0 && len(n.choices) > 0 {
		return r.decideStruct(n)
	}
	return nil
}

// target resolves a conjunct of n that is a plain reference, also `{ref}`.
func (r *Run) target(n *node, c conj) (*node, bool, error) {
	switch x := c.x.(type) {
	case refX, varX, selX, idxX, fixedX:
		m, err := r.resolve(c.x, c.env)
		return m, err == nil, err
	case *structX:
		if len(x.fields) == 0 && len(x.patterns) == 0 && len(x.comps) == 1 && x.comps[0].embed != nil && !x.open {
			return r.target(n, conj{x: x.comps[0].embed, env: &env{up: c.env, node: n}})
		}
	}
	return nil, false, nil
}

// add makes c a condition of n.
func (r *Run) add(n *node, c conj) error {
	if err := r.enter(); err != nil {
		return err
	}
	defer r.leave()
	if c.isData {
		return r.addData(n, c)
	}
	switch x := c.x.(type) {
	case topX:
		return nil
	case litX:
		return n.addScalar(x.v)
	case typeX:
		return n.addType(x.k)
	case boundX:
		return r.addBound(n, x, c.env)
	case matchX:
		n.bounds = append(n.bounds, bound{match: &x})
		return n.addType(kString)
	case andX:
		if err := r.add(n, conj{x: x.a, env: c.env, group: c.group}); err != nil {
			return err
		}
		return r.add(n, conj{x: x.b, env: c.env, group: c.group})
	case orX:
		n.choices = append(n.choices, c)
		return nil
	case *structX:
		return r.addStruct(n, x, &env{up: c.env, node: n}, c.group)
	case closeX:
		if c.group != nil {
			return Unsure
		}
		return r.addStruct(n, x.s, &env{up: c.env, node: n}, &group{shallow: true})
	case *listX:
		return r.addList(n, x, c)
	case refX, varX, selX, idxX, fixedX:
		return r.addReference(n, c)
	case badX, bottomX:
		return Unsure
	}
	v, err := r.concrete(c.x, c.env)
	if err != nil {
		return err
	}
	if m, ok := v.(*node); ok {
		return r.addNode(n, m, c.group)
	}
	return n.addScalar(v)
}

// addReference adds what a reference stands for. A definition closes n.
func (r *Run) addReference(n *node, c conj) error {
	m, err := r.resolve(c.x, c.env)
	if err != nil {
		return err
	}
	g := c.group
	if isDefinition(c.x) {
		g = &group{}
	}
	return r.addNode(n, m, g)
}

func isDefinition(x expr) bool {
	name := ""
	switch x := x.(type) {
	case refX:
		name = x.name
	case selX:
		name = x.name
	}
	return len(name) > 1 && name[:2] == hiddenPrefix+"#"
}

// addNode adds the conditions of m to n. A scalar is added as it is, a struct
// or list conjunct by conjunct, because its names may mean fields of n now.
func (r *Run) addNode(n, m *node, g *group) error {
	for m.alias != nil {
		m = m.alias
	}
	if len(m.conjs) == 0 { // made by a function
		switch {
		case m.hasScalar:
			return n.addScalar(m.scalar)
		case m.kind == isList:
			return n.addElems(m.elems)
		}
		return Unsure
	}
	for _, c := range m.conjs {
		if g != nil {
			if c.group != nil {
				return Unsure
			}
			c.group = g
		}
		if err := r.add(n, c); err != nil {
			return err
		}
	}
	return nil
}

func (r *Run) addData(n *node, c conj) error {
	switch v := c.data.(type) {
	case map[string]any:
		n.structs++
		n.plainStruct = true
		if len(v) > 0 {
			n.sources++
		}
		if err := r.charge(len(v) * (len(v) + len(n.arcs))); err != nil { // each is compared with those before
			return err
		}
		if n.arcs == nil {
			n.arcs = make([]arc, 0, len(v))
		}
		for _, name := range slices.Sorted(maps.Keys(v)) {
			n.addArc(name, conj{data: v[name], isData: true}, nil)
		}
		return nil
	case []any:
		elems := make([]*node, len(v))
		for i, e := range v {
			elems[i] = dataNode(e)
		}
		return n.addElems(elems)
	}
	return n.addScalar(c.data)
}

func (n *node) addArc(name string, c conj, marks *patch.Markers) {
	for i := range n.arcs {
		if n.arcs[i].name == name {
			a := &n.arcs[i]
			if a.node.state != fresh || a.settled {
				// Somebody has used the field before all of it was known.
				a.node = &node{err: Unsure}
				n.err = Unsure
				return
			}
			a.node.conjs = append(a.node.conjs, c)
			if marks != nil {
				a.marks = append(a.marks, *marks)
			}
			return
		}
	}
	a := arc{name: name, node: &node{conjs: []conj{c}}}
	if marks != nil {
		a.marks = []patch.Markers{*marks}
	}
	n.arcs = append(n.arcs, a)
}

// addStruct adds the declarations of a struct literal. e is its own scope.
func (r *Run) addStruct(n *node, s *structX, e *env, g *group) error {
	if err := r.step(); err != nil {
		return err
	}
	n.structs++
	if len(s.fields) > 0 {
		n.sources++
	}
	n.unordered = n.unordered || len(s.comps) > 0
	n.plainStruct = n.plainStruct || s.plain
	var own *allowed
	inner := g // of the fields
	if g != nil {
		if g.shallow {
			inner = nil
		}
		own = n.allowedOf(g)
		own.open = own.open || s.open
		if len(s.comps) > 0 {
			return Unsure
		}
		for _, p := range s.patterns {
			if !p.all {
				return Unsure
			}
			own.open = true
		}
	}
	if n.arcs == nil {
		n.arcs = make([]arc, 0, len(s.fields))
	}
	if err := r.charge(len(s.fields) * (len(s.fields) + len(n.arcs))); err != nil {
		return err
	}
	for i := range s.fields {
		f := &s.fields[i]
		name := f.name
		if f.dyn != nil {
			v, err := r.concrete(f.dyn, e)
			if err != nil {
				return err
			}
			text, ok := v.(string)
			if !ok {
				return Unsure
			}
			name = text
		}
		if own != nil {
			own.names[name] = true
		}
		c := conj{x: f.x, env: e, group: inner}
		if f.mode != present {
			n.constraints = append(n.constraints, constraint{name: name, conj: c})
			if f.mode == required {
				n.pending = append(n.pending, &pending{comp: requiredField(name), env: e})
			}
			continue
		}
		var marks *patch.Markers
		if f.marks.Keys != nil || f.marks.Strategy != "" {
			marks = &f.marks
		}
		n.addArc(name, c, marks)
	}
	for _, p := range s.patterns {
		n.constraints = append(n.constraints, constraint{all: p.all, conj: conj{x: p.x, env: e, group: inner}})
	}
	for _, comp := range s.comps {
		n.pending = append(n.pending, &pending{comp: comp, env: e, group: g})
	}
	return n.err
}

// requiredField makes a run Unsure that lacks the field of `name!:`.
func requiredField(name string) *compX {
	return &compX{embed: mustX{name}, labels: map[string]bool{}}
}

// mustX checks that the struct it is embedded in has a field.
type mustX struct{ name string }

func (n *node) allowedOf(g *group) *allowed {
	for _, a := range n.closed {
		if a.group == g {
			return a
		}
	}
	a := &allowed{group: g, names: map[string]bool{}}
	n.closed = append(n.closed, a)
	return a
}

func (r *Run) addList(n *node, x *listX, c conj) error {
	elems := make([]*node, 0, len(x.elems))
	for _, e := range x.elems {
		if e.comp == nil {
			elems = append(elems, &node{conjs: []conj{{x: e.x, env: c.env, group: c.group}}})
			continue
		}
		err := r.iterate(e.comp.clauses, c.env, true, func(sc *env) error {
			if err := r.step(); err != nil {
				return err
			}
			elems = append(elems, &node{conjs: []conj{{x: e.comp.body, env: sc, group: c.group}}})
			return nil
		})
		if err != nil {
			return err
		}
	}
	if !x.open {
		return n.addElems(elems)
	}
	var rest []conj
	if x.rest != nil {
		rest = []conj{{x: x.rest, env: c.env, group: c.group}}
	}
	return n.mergeList(elems, true, rest)
}

func (n *node) addElems(elems []*node) error { return n.mergeList(elems, false, nil) }

// mergeList unifies a list with what n has already, element by element.
func (n *node) mergeList(elems []*node, open bool, rest []conj) error {
	if !n.lists {
		n.lists, n.elems, n.open, n.rest = true, elems, open, rest
		return nil
	}
	if len(elems) > len(n.elems) && !n.open || len(elems) < len(n.elems) && !open {
		return errConflict
	}
	out := make([]*node, max(len(elems), len(n.elems)))
	for i := range out {
		var conjs []conj
		if i < len(n.elems) {
			conjs = conjsOf(n.elems[i])
		} else {
			conjs = slices.Clone(n.rest)
		}
		if i < len(elems) {
			conjs = append(conjs, conjsOf(elems[i])...)
		} else {
			conjs = append(conjs, rest...)
		}
		out[i] = &node{conjs: conjs}
	}
	n.elems = out
	n.open = n.open && open
	n.rest = append(slices.Clone(n.rest), rest...)
	return nil
}

// conjsOf returns the conjuncts of a node; one that a function made becomes
// data or a reference to itself.
func conjsOf(n *node) []conj {
	if len(n.conjs) == 0 {
		return []conj{{x: fixedX{n}}}
	}
	return slices.Clone(n.conjs)
}

// fixedX is a node as an expression.
type fixedX struct{ n *node }

// iterate runs the clauses of a comprehension and calls yield for each result.
// inOrder says that the order of the results matters.
func (r *Run) iterate(clauses []clauseX, e *env, inOrder bool, yield func(*env) error) error {
	if len(clauses) == 0 {
		return yield(e)
	}
	cl, more := clauses[0], clauses[1:]
	switch cl.kind {
	case ifClause:
		v, err := r.concrete(cl.x, e)
		if err != nil {
			return err
		}
		b, ok := v.(bool)
		if !ok {
			return Unsure
		}
		if !b {
			return nil
		}
		return r.iterate(more, e, inOrder, yield)
	case letClause:
		return r.iterate(more, &env{up: e, val: &node{conjs: []conj{{x: cl.x, env: e}}}}, inOrder, yield)
	}
	src, err := r.nodeOf(cl.x, e)
	if err != nil {
		return err
	}
	if src, err = r.value(src); err != nil {
		return err
	}
	switch src.kind {
	case isList:
		for i, el := range src.elems {
			if err := r.step(); err != nil {
				return err
			}
			if err := r.iterate(more, &env{up: e, key: int64(i), val: el}, inOrder, yield); err != nil {
				return err
			}
		}
		return nil
	case isStruct:
		if inOrder && (src.sources > 1 || src.unordered) {
			return Unsure
		}
		for i := range src.arcs {
			a := &src.arcs[i]
			if !regular(a.name) {
				continue
			}
			if err := r.step(); err != nil {
				return err
			}
			if err := r.iterate(more, &env{up: e, key: a.name, val: a.node}, inOrder, yield); err != nil {
				return err
			}
		}
		return nil
	}
	return Unsure
}
