package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

// An exception allows one breach, with a reason.
type exception struct {
	Rule    string
	Subject string
	Reason  string
	Place   string // file and line
}

type exceptions []exception

// readExceptions reads lines of the form `rule | subject | reason`. Empty lines
// and lines that start with # are skipped. A missing file allows nothing.
func readExceptions(file string) (exceptions, error) {
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read exceptions: %w", err)
	}
	var out exceptions
	for i, line := range strings.Split(string(data), "\n") {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		place := fmt.Sprintf("%s:%d", file, i+1)
		fields := strings.SplitN(line, "|", 3)
		if len(fields) != 3 || strings.TrimSpace(fields[2]) == "" {
			return nil, fmt.Errorf("%s: want `rule | subject | reason`, got %q", place, line)
		}
		out = append(out, exception{
			Rule:    strings.TrimSpace(fields[0]),
			Subject: strings.TrimSpace(fields[1]),
			Reason:  strings.TrimSpace(fields[2]),
			Place:   place,
		})
	}
	return out, nil
}

// filter returns the breaches that no exception allows, and the exceptions that
// allow nothing.
func (es exceptions) filter(breaches []Breach) (left []Breach, unused exceptions) {
	used := make([]bool, len(es))
	for _, b := range breaches {
		allowed := false
		for i, e := range es {
			if e.Rule == b.Rule && e.Subject == b.Subject {
				used[i], allowed = true, true
			}
		}
		if !allowed {
			left = append(left, b)
		}
	}
	for i, e := range es {
		if !used[i] {
			unused = append(unused, e)
		}
	}
	return left, unused
}
