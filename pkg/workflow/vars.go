package workflow

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/seed-c5f95f19/vela/pkg/cue/provider"
)

// Vars are the values that steps hand to later steps, and what the engine has
// to remember about a step that its status has no field for. The caller stores
// them (for an Application in the ConfigMap workflow-<name>-context) before it
// stores the Progress, and only when they changed. Maps are never modified once
// they are in Vars, so copies may share them.
type Vars struct {
	Values map[string]any      // by name, JSON-like
	Steps  map[string]StepVars // by step ID; no entries with zero values
}

// StepVars is what is remembered about one step.
type StepVars struct {
	Retries  int               `json:"retries,omitempty"` // failed attempts so far
	RetryAt  time.Time         `json:"retryAt,omitzero"`  // not before
	ResumeAt time.Time         `json:"-"`                 // a suspension ends by itself
	Memory   map[string]string `json:"memory,omitempty"`  // of the runner
}

func (s StepVars) zero() bool {
	return s.Retries == 0 && s.RetryAt.IsZero() && s.ResumeAt.IsZero() && len(s.Memory) == 0
}

// Keys of the stored form. KubeVela uses the first two.
const (
	keyValues = "vars"
	keyResume = ".resumeTimeStamp"
	keyState  = ".state"
)

// Empty says that there is nothing to store.
func (v Vars) Empty() bool { return len(v.Values) == 0 && len(v.Steps) == 0 }

// Encode returns the data of the object that stores the values; the same Vars
// give the same bytes. Empty Vars give nil.
func (v Vars) Encode() (map[string]string, error) {
	if v.Empty() {
		return nil, nil
	}
	out := map[string]string{}
	if len(v.Values) > 0 {
		b, err := json.Marshal(v.Values)
		if err != nil {
			return nil, fmt.Errorf("values of the workflow: %w", err)
		}
		out[keyValues] = string(b)
	}
	for id, s := range v.Steps {
		if !s.ResumeAt.IsZero() {
			out[id+keyResume] = s.ResumeAt.UTC().Format(time.RFC3339Nano)
		}
		s.ResumeAt = time.Time{}
		if s.zero() {
			continue
		}
		b, err := json.Marshal(s)
		if err != nil {
			return nil, fmt.Errorf("state of step %q: %w", id, err)
		}
		out[id+keyState] = string(b)
	}
	return out, nil
}

// DecodeVars reads what Encode wrote. Values that KubeVela wrote as CUE text
// need the engine; without one they are an error. Unknown keys are ignored.
func DecodeVars(data map[string]string, engine Engine) (Vars, error) {
	v := Vars{}
	for key, text := range data {
		switch {
		case key == keyValues:
			values, err := decodeValues(text, engine)
			if err != nil {
				return Vars{}, fmt.Errorf("stored values of the workflow: %w", err)
			}
			v.Values = values
		case strings.HasSuffix(key, keyResume):
			at, err := time.Parse(time.RFC3339Nano, text)
			if err != nil {
				return Vars{}, fmt.Errorf("stored %s: expected a time, got %q", key, text)
			}
			v = v.step(strings.TrimSuffix(key, keyResume), func(s *StepVars) { s.ResumeAt = at })
		case strings.HasSuffix(key, keyState):
			var stored StepVars
			if err := json.Unmarshal([]byte(text), &stored); err != nil {
				return Vars{}, fmt.Errorf("stored %s: %w", key, err)
			}
			v = v.step(strings.TrimSuffix(key, keyState), func(s *StepVars) {
				stored.ResumeAt = s.ResumeAt
				*s = stored
			})
		}
	}
	return v, nil
}

func decodeValues(text string, engine Engine) (map[string]any, error) {
	parsed, err := provider.Unmarshal([]byte(text))
	if err != nil && engine != nil {
		parsed, err = engine.Expr("{\n"+text+"\n}", nil)
	}
	if err != nil {
		return nil, err
	}
	values, ok := parsed.(map[string]any)
	if !ok && parsed != nil {
		return nil, fmt.Errorf("expected an object, got %T", parsed)
	}
	return values, nil
}

// step returns v with a change of what is remembered about one step.
func (v Vars) step(id string, change func(*StepVars)) Vars {
	s, known := v.Steps[id]
	change(&s)
	if !known && s.zero() {
		return v
	}
	steps := maps.Clone(v.Steps)
	if steps == nil {
		steps = map[string]StepVars{}
	}
	steps[id] = s
	if s.zero() {
		delete(steps, id)
	}
	v.Steps = steps
	return v
}

// set returns v with further values; nil values is v itself.
func (v Vars) set(values map[string]any) Vars {
	if len(values) == 0 {
		return v
	}
	merged := make(map[string]any, len(v.Values)+len(values))
	maps.Copy(merged, v.Values)
	maps.Copy(merged, values)
	v.Values = merged
	return v
}

// without returns v without the given values.
func (v Vars) without(names map[string]bool) Vars {
	kept := maps.Clone(v.Values)
	maps.DeleteFunc(kept, func(name string, _ any) bool { return names[name] })
	v.Values = kept
	return v
}
