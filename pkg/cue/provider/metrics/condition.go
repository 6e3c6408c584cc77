package metrics

import (
	"errors"
	"fmt"
	"strings"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/cuecontext"
	"cuelang.org/go/cue/parser"
	"cuelang.org/go/cue/token"
)

// A condition is what a value is compared with: the text behind the value in an
// expression of CUE, such as ">= 0.99".
type condition string

const maxCondition = 200

var errCondition = errors.New(`expected a comparison such as ">= 0.99"`)

// parse reads a condition, which is one comparison and arithmetic: nothing in it
// can take long.
func parse(text string) (condition, error) {
	c := condition(strings.TrimSpace(text))
	if len(c) > maxCondition {
		return "", fmt.Errorf("condition: %w, got %d characters", errCondition, len(c))
	}
	if _, err := c.with("0"); err != nil {
		return "", fmt.Errorf("condition: %w, got %q", errCondition, text)
	}
	return c, nil
}

// with returns the expression for a value.
func (c condition) with(value string) (ast.Expr, error) {
	x, err := parser.ParseExpr("condition", "("+value+") "+string(c))
	if err != nil {
		return nil, err
	}
	compares := false
	ast.Walk(x, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.BinaryExpr:
			switch n.Op {
			case token.LSS, token.GTR, token.LEQ, token.GEQ, token.EQL, token.NEQ:
				compares = true
			case token.ADD, token.SUB, token.MUL, token.QUO, token.LAND, token.LOR:
			default:
				err = errCondition
			}
		case *ast.UnaryExpr, *ast.ParenExpr, *ast.BasicLit, *ast.CommentGroup, *ast.Comment:
		default:
			err = errCondition
		}
		return err == nil
	}, nil)
	if err == nil && !compares {
		err = errCondition
	}
	return x, err
}

// holds reports whether the value meets the condition. What is not a number, or
// no finite one, meets none.
func (c condition) holds(value string) (bool, error) {
	switch strings.TrimLeft(value, "+-") {
	case "NaN", "Inf":
		return false, nil
	}
	x, err := c.with(value)
	if err != nil {
		return false, fmt.Errorf("condition: %w, got %q", errCondition, string(c))
	}
	met, err := cuecontext.New().BuildExpr(x).Bool()
	if err != nil {
		return false, fmt.Errorf("condition: %q cannot be compared with %s", string(c), value)
	}
	return met, nil
}
