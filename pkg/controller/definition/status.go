package definition

import (
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/definition/check"
	"github.com/seed-c5f95f19/vela/pkg/event"
	"github.com/seed-c5f95f19/vela/pkg/fault"
)

// ConditionWarning is there when a definition works and should be changed.
const ConditionWarning = "Warning"

// Reasons of ConditionWarning, which are also those of its event.
const (
	ReasonOldCUE   = "OldCUE"
	ReasonDoubtful = "DoubtfulDefinition"
)

// maxMessage bounds what a condition says.
const maxMessage = 4096

// fold puts what was found into the conditions of a status.
func fold(status *v1beta1.DefinitionStatus, generation int64, now time.Time, found check.Report, failed error) {
	synced := v1beta1.Condition{
		Type: v1beta1.ConditionSynced, Status: metav1.ConditionTrue, Reason: v1beta1.ReasonReconcileSuccess,
		ObservedGeneration: generation, LastTransitionTime: metav1.NewTime(now).Rfc3339Copy(),
	}
	switch err := found.Err(); {
	case err != nil:
		synced.Status, synced.Reason, synced.Message = metav1.ConditionFalse, v1beta1.ReasonInvalidDefinition, short(fault.Message(err))
	case failed != nil:
		synced.Status, synced.Reason, synced.Message = metav1.ConditionFalse, v1beta1.ReasonReconcileError, short(fault.Message(failed))
	}
	status.Conditions = v1beta1.SetCondition(status.Conditions, synced)
	if len(found.Warnings) == 0 {
		status.Conditions = slices.DeleteFunc(status.Conditions, func(c v1beta1.Condition) bool { return c.Type == ConditionWarning })
		return
	}
	warning := v1beta1.Condition{
		Type: ConditionWarning, Status: metav1.ConditionTrue, Reason: ReasonDoubtful, Message: short(strings.Join(found.Warnings, "\n")),
		ObservedGeneration: generation, LastTransitionTime: metav1.NewTime(now).Rfc3339Copy(),
	}
	if len(found.Outdated) > 0 {
		warning.Reason = ReasonOldCUE
		warning.Message = short(warning.Message + "\n`vela def upgrade` writes the modern text")
	}
	status.Conditions = v1beta1.SetCondition(status.Conditions, warning)
}

func short(s string) string {
	if len(s) <= maxMessage {
		return s
	}
	return strings.ToValidUTF8(s[:maxMessage], "") + " …"
}

// between returns what is new in the conditions, as events.
func between(before, after []v1beta1.Condition) []event.Event {
	var out []event.Event
	for _, c := range after {
		was := v1beta1.FindCondition(before, c.Type)
		if c.Message == "" || was != nil && was.Message == c.Message && was.Reason == c.Reason {
			continue
		}
		out = append(out, event.Event{Type: corev1.EventTypeWarning, Reason: c.Reason, Message: strings.ToValidUTF8(c.Message[:min(len(c.Message), 1000)], "")})
	}
	return out
}
