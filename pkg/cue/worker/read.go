package worker

import (
	"errors"
	"strings"

	"github.com/seed-c5f95f19/vela/pkg/cue/patch"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider"
	"github.com/seed-c5f95f19/vela/pkg/cue/value"
)

// read reads something of an evaluation.
func (e *session) read(m message) message {
	what, path := m.text("what"), m.text("path")
	switch {
	case what == "with", what == "default": // also while a call is made
		return e.constraint(m, path)
	case e.res == nil:
		return message{"errors": flatErrors(errors.New("there is no result"))}
	}
	switch what {
	case "value":
		v, ok, err := e.res.Lookup(path)
		return valueOf(v, ok, err)
	case "expr":
		v, err := e.res.Expr(path)
		return valueOf(v, true, err)
	case "err":
		return message{"errors": flatErrors(e.res.Err())}
	case "patch":
		p, ok, err := e.res.Patch()
		if err != nil || !ok {
			return message{"ok": ok, "errors": flatErrors(err)}
		}
		return message{"ok": true, "patch": e.flatten(p, "patch")}
	case "patchOutputs":
		return e.patchOutputs()
	}
	return message{"errors": flatErrors(errors.New("there is nothing to read"))}
}

// valueOf sends a value as its bytes: the reader makes a copy for each caller.
func valueOf(v any, ok bool, err error) message {
	if err != nil || !ok {
		return message{"ok": ok, "errors": flatErrors(err)}
	}
	b, err := value.Append(nil, v)
	return message{"ok": true, "value": string(b), "errors": flatErrors(err)}
}

func (e *session) patchOutputs() message {
	all, err := e.res.PatchOutputs()
	if err != nil {
		return message{"errors": flatErrors(err)}
	}
	out := map[string]any{}
	for name, p := range all {
		out[name] = e.flatten(p, "patchOutputs:"+name)
	}
	return message{"ok": all != nil, "patches": out}
}

// constraint asks a constraint of a patch. After the evaluation was repeated
// the patch has to be read again.
func (e *session) constraint(m message, source string) message {
	if _, ok := e.held[source]; !ok {
		switch what, rest, _ := strings.Cut(source, ":"); what {
		case "patch", "patchOutputs":
			e.read(message{"what": what})
		case "call":
			if _, err := e.callPatch(rest); err != nil {
				return message{"errors": flatErrors(err)}
			}
		}
	}
	held, id := e.held[source], int(m.number("id"))
	if id < 0 || id >= len(held) {
		return message{"errors": flatErrors(errors.New("there is no such part of the patch"))}
	}
	v, err := ask(held[id], m)
	if err == nil {
		v, err = provider.Encode(v)
	}
	return valueOf(v, true, err)
}

func ask(c patch.Constraint, m message) (any, error) {
	if m.text("what") == "default" {
		return c.Default()
	}
	return c.With(m["base"])
}
