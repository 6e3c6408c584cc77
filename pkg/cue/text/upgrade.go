package text

import (
	"regexp"
	"strings"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/format"
	"cuelang.org/go/cue/parser"
)

// Parse reads a text as it is, or repaired when only that helps. The warnings
// say what was repaired; the error is about the text as it is.
func Parse(name, text string) (*ast.File, []Warning, error) {
	f, err := parser.ParseFile(name, text, parser.ParseComments)
	if err == nil {
		return f, nil, nil
	}
	repaired, warnings := Repair(text)
	if f, retry := parser.ParseFile(name, repaired, parser.ParseComments); retry == nil {
		return f, warnings, nil
	}
	return nil, nil, err
}

// Upgrade writes a text in today's CUE and says what it changed. A text that
// needs nothing comes back as it is. What is repaired while a template is loaded,
// and means the same, stays as the author wrote it.
func Upgrade(name, text string) (string, []Warning, error) {
	f, warnings, err := Parse(name, text)
	if err != nil {
		return "", nil, err
	}
	warnings = append(warnings, modernize(f, true)...)
	if len(warnings) == 0 {
		return text, nil, nil
	}
	out, err := format.Node(f)
	if err == nil {
		out, err = format.Source(out) // new nodes have no place of their own the first time
	}
	if err != nil {
		return "", nil, err
	}
	return string(out), warnings, nil
}

// A form is something that earlier versions of CUE read and today's parser does
// not.
type form struct {
	old     *regexp.Regexp
	modern  string
	message string
}

func forms() []form {
	return []form{{
		old:     regexp.MustCompile(`(?m)^([ \t{,]*)(try|else|otherwise)([?!]?[ \t]*:)`),
		modern:  `${1}"${2}"${3}`,
		message: "the name of the field is a keyword of newer CUE; put it in quotes",
	}, {
		old:     regexp.MustCompile(`([\w.]+(?:\[\w+\])?)[ \t]+(div|mod|quo|rem)[ \t]+([\w.]+(?:\[\w+\])?)`),
		modern:  `${2}(${1}, ${3})`,
		message: "integer division is a function in newer CUE",
	}}
}

// Repair rewrites what today's parser does not read: names of fields that became
// keywords get quotes, operators that became functions are called, and the end of
// a multi-line string gets a line of its own. It is meant for texts that do not
// parse as they are.
func Repair(text string) (string, []Warning) {
	var warnings []Warning
	lines := strings.Split(text, "\n")
	open := false
	for i, l := range lines {
		if !open {
			for _, form := range forms() {
				modern := form.old.ReplaceAllString(l, form.modern)
				if modern != l {
					warnings = append(warnings, Warning{Line: i + 1, Message: form.message, Modern: strings.TrimSpace(modern)})
					l = modern
				}
			}
			lines[i] = l
		}
		const quotes = `"""`
		at := strings.LastIndex(l, quotes)
		if at < 0 {
			continue
		}
		if open && strings.TrimSpace(l[:at]) != "" {
			lines[i] = l[:at] + "\n" + l[at:]
			warnings = append(warnings, Warning{Line: i + 1, Message: "the end of a multi-line string needs a line of its own"})
		}
		if strings.Count(l, quotes)%2 == 1 {
			open = !open
		}
	}
	return strings.Join(lines, "\n"), warnings
}
