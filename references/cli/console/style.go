package console

import (
	"regexp"
	"unicode/utf8"
)

// Style paints text on a terminal and leaves it alone elsewhere. The zero
// Style never paints.
type Style struct{ on bool }

func (s Style) paint(code, text string) string {
	if !s.on || text == "" {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

// Good is for what is as wanted.
func (s Style) Good(text string) string { return s.paint("32", text) }

// Bad is for what failed.
func (s Style) Bad(text string) string { return s.paint("31", text) }

// Wait is for what waits or changes.
func (s Style) Wait(text string) string { return s.paint("33", text) }

// Dim is for what matters less.
func (s Style) Dim(text string) string { return s.paint("2", text) }

// Bold is for names and headings.
func (s Style) Bold(text string) string { return s.paint("1", text) }

// ansi matches the paint of Style.
var ansi = regexp.MustCompile("\x1b\\[[0-9;]*m")

// width is the number of columns that text takes.
func width(text string) int {
	return utf8.RuneCountInString(ansi.ReplaceAllString(text, ""))
}

// clip cuts text to columns, keeping paint whole.
func clip(text string, columns int) string {
	if columns <= 0 || width(text) <= columns {
		return text
	}
	plain := []rune(ansi.ReplaceAllString(text, ""))
	return string(plain[:max(columns-1, 0)]) + "…"
}
