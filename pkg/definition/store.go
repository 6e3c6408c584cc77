package definition

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// ErrNotFound is what errors.Is finds in the error of a Get for a name that
// no store has.
var ErrNotFound = errors.New("definition not found")

// A NotFoundError says which definition is missing and which names are close
// to what was written.
type NotFoundError struct {
	Ref       Ref
	Namespace string
	Near      []string // best first
}

func (e *NotFoundError) Error() string {
	msg := fmt.Sprintf("%s is not installed", e.Ref)
	if len(e.Near) > 0 {
		msg += fmt.Sprintf(" (did you mean %s?)", orList(e.Near))
	}
	return msg
}

// Unwrap makes the error recognisable as ErrNotFound.
func (e *NotFoundError) Unwrap() error { return ErrNotFound }

// A Source finds definitions by name, for an Application in namespace. Names
// lists what it has of one kind, without versions.
type Source interface {
	Get(ctx context.Context, namespace string, ref Ref) (Definition, error)
	Names(ctx context.Context, namespace string, kind Kind) ([]string, error)
}

// A Chained asks several sources in order. It is safe for concurrent use when
// they are.
type Chained struct{ sources []Source }

// Chain returns the source that gives what the first of sources has.
func Chain(sources ...Source) *Chained { return &Chained{sources} }

// Get returns the definition from the first source that has it.
func (c *Chained) Get(ctx context.Context, namespace string, ref Ref) (Definition, error) {
	return c.first(ctx, namespace, ref, Source.Get)
}

// Newest is Get for an Application that follows new versions: a source that
// knows several versions gives the newest under that of ref.
func (c *Chained) Newest(ctx context.Context, namespace string, ref Ref) (Definition, error) {
	return c.first(ctx, namespace, ref, func(s Source, ctx context.Context, namespace string, ref Ref) (Definition, error) {
		if u, ok := s.(interface {
			Newest(ctx context.Context, namespace string, ref Ref) (Definition, error)
		}); ok {
			return u.Newest(ctx, namespace, ref)
		}
		return s.Get(ctx, namespace, ref)
	})
}

func (c *Chained) first(ctx context.Context, namespace string, ref Ref, get func(Source, context.Context, string, Ref) (Definition, error)) (Definition, error) {
	for _, s := range c.sources {
		d, err := get(s, ctx, namespace, ref)
		if errors.Is(err, ErrNotFound) {
			continue
		}
		return d, err
	}
	names, err := c.Names(ctx, namespace, ref.Kind)
	if err != nil {
		return Definition{}, err
	}
	return Definition{}, missing(namespace, ref, names)
}

// Names lists what any of the sources has.
func (c *Chained) Names(ctx context.Context, namespace string, kind Kind) ([]string, error) {
	var all []string
	for _, s := range c.sources {
		names, err := s.Names(ctx, namespace, kind)
		if err != nil {
			return nil, err
		}
		all = append(all, names...)
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}

// missing builds the error for a name that is not among names.
func missing(namespace string, ref Ref, names []string) error {
	return &NotFoundError{Ref: ref, Namespace: namespace, Near: near(ref.Base(), names)}
}

// near returns the at most three names that a writer of name may have meant.
func near(name string, names []string) []string {
	type scored struct {
		name     string
		distance int
	}
	var close []scored
	for _, n := range names {
		limit := max(1, min(len(n), len(name))/3)
		d := distance(strings.ToLower(name), strings.ToLower(n))
		if strings.HasPrefix(n, name) || strings.HasPrefix(name, n) {
			d = min(d, limit)
		}
		if n != name && d <= limit {
			close = append(close, scored{n, d})
		}
	}
	slices.SortFunc(close, func(a, b scored) int {
		return cmp.Or(cmp.Compare(a.distance, b.distance), cmp.Compare(a.name, b.name))
	})
	var out []string
	for _, s := range close[:min(3, len(close))] {
		out = append(out, s.name)
	}
	return out
}

// distance counts the edits (insert, delete, replace, swap of neighbours)
// between two strings.
func distance(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			replace := rows[i-1][j-1]
			if a[i-1] != b[j-1] {
				replace++
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, replace)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}

// orList joins quoted names the way a sentence does.
func orList(names []string) string {
	quoted := make([]string, len(names))
	for i, n := range names {
		quoted[i] = fmt.Sprintf("%q", n)
	}
	if len(quoted) == 1 {
		return quoted[0]
	}
	return strings.Join(quoted[:len(quoted)-1], ", ") + " or " + quoted[len(quoted)-1]
}
