package worker

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/seed-c5f95f19/vela/pkg/cue"
	"github.com/seed-c5f95f19/vela/pkg/cue/value"
)

// A message is a JSON-like object; its fields depend on `op`.
type message map[string]any

func (m message) text(name string) string  { s, _ := m[name].(string); return s }
func (m message) flag(name string) bool    { b, _ := m[name].(bool); return b }
func (m message) list(name string) []any   { l, _ := m[name].([]any); return l }
func (m message) number(name string) int64 { i, _ := m[name].(int64); return i }
func (m message) object(name string) message {
	o, _ := m[name].(map[string]any)
	return o
}

func encode(m message) ([]byte, error) { return value.Append(nil, map[string]any(m)) }

func decode(b []byte) (message, error) {
	v, err := value.Parse(b)
	if err != nil {
		return nil, err
	}
	m, ok := v.(map[string]any)
	if !ok {
		return nil, errors.New("the message is not an object")
	}
	return m, nil
}

// maxFrame is the longest message: outputs are bounded by the engine, and this
// bounds what a worker that lost its mind can send.
const maxFrame = 256 << 20

func writeFrame(w io.Writer, b []byte) error {
	head := binary.BigEndian.AppendUint32(make([]byte, 0, 4+len(b)), uint32(len(b)))
	_, err := w.Write(append(head, b...))
	return err
}

func readFrame(r *bufio.Reader) ([]byte, error) {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(head[:])
	if n > maxFrame {
		return nil, fmt.Errorf("a message of %d bytes", n)
	}
	b := make([]byte, n)
	_, err := io.ReadFull(r, b)
	return b, err
}

// What a text can say about itself: more helps nobody, and it ends in statuses.
const (
	maxErrors = 50
	maxText   = 1000
)

func cut(s string) string {
	if len(s) <= maxText {
		return s
	}
	return strings.ToValidUTF8(s[:maxText], "") + "…"
}

// flatErrors is an error as a JSON-like value, nil for none.
func flatErrors(err error) any {
	if err == nil {
		return nil
	}
	all := cue.Errors(err)
	if len(all) == 0 {
		return []any{map[string]any{"plain": cut(err.Error())}}
	}
	out := make([]any, min(len(all), maxErrors))
	for i, e := range all[:len(out)] {
		m := map[string]any{
			"kind": string(e.Kind), "path": cut(e.Path), "param": e.InParameter, "want": cut(e.Want), "got": cut(e.Got),
			"line": int64(e.DefinitionLine), "column": int64(e.DefinitionColumn), "message": cut(e.Message),
		}
		if e.Message == "" && e.Err != nil {
			m["message"] = cut(e.Err.Error())
		}
		out[i] = m
	}
	return out
}

// theErrors is the opposite of flatErrors.
func theErrors(v any) error {
	list, _ := v.([]any)
	out := make([]*cue.Error, 0, len(list))
	for _, e := range list {
		o, _ := e.(map[string]any)
		m := message(o)
		if plain := m.text("plain"); plain != "" {
			return errors.New(plain)
		}
		out = append(out, &cue.Error{
			Kind: cue.Kind(m.text("kind")), Path: m.text("path"), InParameter: m.flag("param"), Want: m.text("want"), Got: m.text("got"),
			DefinitionLine: int(m.number("line")), DefinitionColumn: int(m.number("column")), Message: m.text("message"),
		})
	}
	return cue.Join(out)
}
