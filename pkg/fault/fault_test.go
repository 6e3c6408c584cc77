package fault_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seed-c5f95f19/vela/pkg/fault"
)

func TestMessage(t *testing.T) {
	wrong := errors.New(`property "port" is a string, expected an integer`)
	cases := map[string]struct {
		err  error
		want string
	}{
		"no error is no text":            {nil, ""},
		"a plain error is its text":      {errors.New("boom"), "boom"},
		"an invalid input is its text":   {fault.Invalid("InvalidProperties", wrong), wrong.Error()},
		"the path comes first":           {fault.Invalid("InvalidProperties", wrong, fault.At("spec.components[0]")), "spec.components[0]: " + wrong.Error()},
		"file and line come before path": {fault.Invalid("R", wrong, fault.At("spec"), fault.In("app.yaml", 7)), "app.yaml:7: spec: " + wrong.Error()},
		"a file without a line":          {fault.Invalid("R", wrong, fault.In("app.yaml", 0)), "app.yaml: " + wrong.Error()},
		"a line without a file":          {fault.Invalid("R", wrong, fault.In("", 3)), "line 3: " + wrong.Error()},
		"the hint comes last":            {fault.Because("R", wrong, fault.Hint("see vela show %s", "web")), wrong.Error() + " (see vela show web)"},
		"wrapping keeps place and hint":  {fmt.Errorf("component %q: %w", "web", fault.Invalid("R", wrong, fault.At("spec"), fault.Hint("h"))), `spec: component "web": ` + wrong.Error() + " (h)"},
		"joined errors are one per line": {errors.Join(fault.Invalid("R", errors.New("a")), errors.New("b")), "a\nb"},
		"the same line is said once":     {errors.Join(errors.New("a"), errors.New("a")), "a"},
		"the place is not said twice":    {fault.Invalid("R", errors.New("app.yaml:7: bad"), fault.In("app.yaml", 7)), "app.yaml:7: bad"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, fault.Message(tc.err)); diff != "" {
				t.Errorf("Message(...) mismatch (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTerminal(t *testing.T) {
	invalid, retry := fault.Invalid("A", errors.New("a")), fault.Because("B", errors.New("b"))
	cases := map[string]struct {
		err  error
		want bool
	}{
		"no error":                            {nil, false},
		"an unclassified error is retried":    {errors.New("x"), false},
		"an invalid input is not":             {invalid, true},
		"a failure with a reason is":          {retry, false},
		"wrapping does not change it":         {fmt.Errorf("w: %w", invalid), true},
		"all joined are terminal":             {errors.Join(invalid, invalid), true},
		"one joined can be retried":           {errors.Join(invalid, retry), false},
		"one joined, nested, can be retried":  {errors.Join(invalid, errors.Join(invalid, retry)), false},
		"one joined is plain, so it can help": {errors.Join(invalid, errors.New("x")), false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := fault.Terminal(tc.err); got != tc.want {
				t.Errorf("Terminal(%v) = %v, want %v", tc.err, got, tc.want)
			}
		})
	}
}

func TestWaiting(t *testing.T) {
	away, retry := fault.Because("A", errors.New("a"), fault.Waits()), fault.Because("B", errors.New("b"))
	cases := map[string]struct {
		err  error
		want bool
	}{
		"no error":                         {nil, false},
		"an unclassified error":            {errors.New("x"), false},
		"a failure with a reason":          {retry, false},
		"a failure that waits":             {away, true},
		"wrapping does not change it":      {fault.With(fmt.Errorf("w: %w", away), fault.At("spec")), true},
		"one of two does not wait":         {errors.Join(away, retry), false},
		"a wait is not for an edit to end": {errors.Join(away, fault.Invalid("C", errors.New("c"))), false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := fault.Waiting(tc.err); got != tc.want {
				t.Errorf("Waiting(%v) = %v, want %v", tc.err, got, tc.want)
			}
		})
	}
}

func TestWithKeepsWhatTheInnerLayerKnew(t *testing.T) {
	cause := errors.New("bad")
	inner := fault.Invalid("InvalidProperties", cause, fault.At("spec.components[0].properties.port"))
	got := fault.With(fmt.Errorf("component %q: %w", "web", inner), fault.At("spec"), fault.In("app.yaml", 12), fault.Hint("fix it"))

	if fault.Reason(got) != "InvalidProperties" || !fault.Terminal(got) || !errors.Is(got, cause) {
		t.Errorf("With() lost the decision: reason %q, terminal %v", fault.Reason(got), fault.Terminal(got))
	}
	want := fault.Where{File: "app.yaml", Line: 12, Path: "spec.components[0].properties.port"}
	if diff := cmp.Diff(want, fault.Place(got)); diff != "" {
		t.Errorf("Place(With(...)) mismatch (-want +got):\n%s", diff)
	}
	both := fault.With(errors.Join(inner, fault.Invalid("R", cause)), fault.At("spec"))
	if got, want := fault.Message(both), "spec.components[0].properties.port: bad\nspec: bad"; got != want {
		t.Errorf("With(joined) reads %q, want %q", got, want)
	}
	plain := errors.New("plain")
	if fault.With(plain, fault.At("spec")) != plain || fault.With(nil) != nil {
		t.Error("With() changed an error that carries no decision")
	}
	if fault.Reason(plain) != "" || fault.Place(plain) != (fault.Where{}) {
		t.Error("a plain error has a reason or a place")
	}
}
