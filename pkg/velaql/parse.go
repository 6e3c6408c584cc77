// Package velaql evaluates views: CUE texts that ask what is delivered and what
// runs of it, and put the answer into a form for a screen or a script.
//
//	component-pod-view{appName=shop, appNs=default}.status.podList
//
// A query names a view, its parameters and the part of it that is wanted. Views
// are stored in ConfigMaps of the system namespace, as KubeVela stores them. They
// read as whoever evaluates them may read, and write nothing.
package velaql

import (
	"fmt"
	"strconv"
	"strings"
)

// DefaultExport is the part of a view that is wanted when a query names none.
const DefaultExport = "status"

// A Query asks a view.
type Query struct {
	View       string
	Parameters map[string]any // string, bool, int64 or float64
	Export     string
}

// Parse reads view{key=value,other="text"}.export. Numbers and truth values are
// such unless they are quoted. Parameters and export can be left out.
func Parse(text string) (Query, error) {
	s := scanner{text: text}
	q := Query{View: strings.TrimSpace(s.until("{.")), Parameters: map[string]any{}, Export: DefaultExport}
	if q.View == "" {
		return q, s.fail("expected the name of a view")
	}
	if s.take('{') {
		if err := s.parameters(q.Parameters); err != nil {
			return q, err
		}
	}
	if s.take('.') {
		if q.Export = strings.TrimSpace(s.rest()); q.Export == "" {
			return q, s.fail("expected a field after the dot")
		}
	}
	if strings.TrimSpace(s.rest()) != "" {
		return q, s.fail("expected the end, or .field")
	}
	return q, nil
}

// A scanner reads a query from left to right.
type scanner struct {
	text string
	at   int
}

func (s *scanner) fail(what string) error {
	return fmt.Errorf("query %q, column %d: %s; a query looks like view{key=value}.field", s.text, s.at+1, what)
}

func (s *scanner) space() {
	for s.at < len(s.text) && strings.ContainsRune(" \t\r\n", rune(s.text[s.at])) {
		s.at++
	}
}

// take passes over a character if it is next.
func (s *scanner) take(c byte) bool {
	s.space()
	if s.at < len(s.text) && s.text[s.at] == c {
		s.at++
		return true
	}
	return false
}

// until passes over everything before one of the characters.
func (s *scanner) until(stop string) string {
	rest := s.text[s.at:]
	if i := strings.IndexAny(rest, stop); i >= 0 {
		rest = rest[:i]
	}
	s.at += len(rest)
	return rest
}

func (s *scanner) rest() string { return s.until("") }

func (s *scanner) parameters(into map[string]any) error {
	for {
		if s.take('}') {
			return nil
		}
		start := s.at
		key := strings.TrimSpace(s.until("=,}"))
		if key == "" || !s.take('=') {
			s.at = start
			return s.fail("expected key=value")
		}
		if _, twice := into[key]; twice {
			s.at = start
			return s.fail(fmt.Sprintf("%q is given twice", key))
		}
		value, err := s.value()
		if err != nil {
			return err
		}
		into[key] = value
		if s.take(',') {
			continue
		}
		if !s.take('}') {
			return s.fail("expected , or }")
		}
		return nil
	}
}

func (s *scanner) value() (any, error) {
	s.space()
	if s.at < len(s.text) && s.text[s.at] == '"' {
		quoted, err := strconv.QuotedPrefix(s.text[s.at:])
		if err != nil {
			return nil, s.fail("the text has no closing quote")
		}
		s.at += len(quoted)
		return strconv.Unquote(quoted)
	}
	word := strings.TrimSpace(s.until(",}"))
	if word == "" {
		return nil, s.fail("expected a value")
	}
	if b, err := strconv.ParseBool(word); err == nil && len(word) > 1 {
		return b, nil
	}
	if i, err := strconv.ParseInt(word, 10, 64); err == nil {
		return i, nil
	}
	if f, err := strconv.ParseFloat(word, 64); err == nil && strings.ContainsAny(word, "0123456789") {
		return f, nil
	}
	return word, nil
}
