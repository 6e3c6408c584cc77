package custom

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/seed-c5f95f19/vela/pkg/workflow"
)

// Keys of what a step remembers about its pauses.
const (
	memoryPaused = "pausedAt" // path of the call that pauses the step
	memoryPassed = "passed"   // paths of pauses that are over, one a line
)

// A session implements Session for one attempt.
type session struct {
	run   workflow.StepRun
	ahead bool // look ahead: nothing pauses, nothing is kept

	mu     sync.Mutex
	said   []string
	set    map[string]any
	memory map[string]string // nil while it is as before
}

// Pause implements builtin.Session. A template may pause at several places;
// resuming the step passes the one that it has come to.
func (s *session) Pause(path string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ahead || slices.Contains(lines(s.recall(memoryPassed)), path) {
		return false
	}
	if s.run.Resumed && s.recall(memoryPaused) == path {
		s.remember(memoryPassed, strings.Join(append(lines(s.recall(memoryPassed)), path), "\n"))
		s.remember(memoryPaused, "")
		return false
	}
	s.remember(memoryPaused, path)
	return true
}

func (s *session) recall(key string) string {
	if s.memory != nil {
		return s.memory[key]
	}
	return s.run.Memory[key]
}

func (s *session) remember(key, value string) {
	if s.recall(key) == value {
		return
	}
	if s.memory == nil {
		s.memory = maps.Clone(s.run.Memory)
	}
	if s.memory == nil {
		s.memory = map[string]string{}
	}
	s.memory[key] = value
	if value == "" {
		delete(s.memory, key)
	}
}

// Now implements provider.Memory.
func (s *session) Now() time.Time { return s.run.Now }

// Recall implements provider.Memory.
func (s *session) Recall(key string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.recall(key)
}

// Remember implements provider.Memory.
func (s *session) Remember(key, value string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.remember(key, value)
}

// Say implements builtin.Session.
func (s *session) Say(message string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.said = append(s.said, message)
}

// Var implements builtin.Session.
func (s *session) Var(path string) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if v, ok := s.set[path]; ok {
		return v, nil
	}
	if v, ok := s.run.Values[path]; ok {
		return v, nil
	}
	if v, ok := workflow.Lookup(s.values(), path); ok {
		return v, nil
	}
	return nil, fmt.Errorf("the workflow has no value %q", path)
}

// SetVar implements builtin.Session.
func (s *session) SetVar(path string, value any) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	all, err := workflow.SetPath(s.values(), path, value)
	if err != nil {
		return err
	}
	name := path
	if _, whole := all[path]; !whole {
		name = path[:strings.IndexAny(path+".", ".[")]
	}
	if s.set == nil {
		s.set = map[string]any{}
	}
	s.set[name] = all[name]
	return nil
}

// values are those of the workflow with what this attempt has set.
func (s *session) values() map[string]any {
	out := maps.Clone(s.run.Values)
	if out == nil {
		out = map[string]any{}
	}
	maps.Copy(out, s.set)
	return out
}

// result is what the session adds to the outcome of the attempt.
func (s *session) result(res workflow.StepResult) workflow.StepResult {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, value := range res.Memory {
		if s.run.Memory[key] != value {
			s.remember(key, value)
		}
	}
	res.Memory = s.memory
	res.Values = s.set
	if res.Message == "" {
		res.Message = strings.Join(s.said, ", ")
	}
	return res
}

func lines(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(text, "\n")
}
