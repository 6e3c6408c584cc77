package v1beta1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Condition is one claim about an object. It has the fields of metav1.Condition
// in the same order, so that the two convert into each other, but stored
// conditions may lack the message.
type Condition struct {
	Type   string                 `json:"type"`
	Status metav1.ConditionStatus `json:"status"`

	// ObservedGeneration is the generation of the object that the claim is about.
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	LastTransitionTime metav1.Time `json:"lastTransitionTime"`
	Reason             string      `json:"reason"`
	Message            string      `json:"message,omitempty"`
}

// Types of conditions of an Application, in the order of the delivery. Ready
// sums up the others; the last three appear only when there is something to say.
const (
	ConditionParsed    = "Parsed"
	ConditionRevision  = "Revision"
	ConditionPolicy    = "Policy"
	ConditionRender    = "Render"
	ConditionWorkflow  = "Workflow"
	ConditionReady     = "Ready"
	ConditionSynced    = "Synced"
	ConditionStateKeep = "StateKeep"
	ConditionDeleting  = "Deleting"
)

// FindCondition returns the condition of that type inside conditions, or nil.
func FindCondition(conditions []Condition, conditionType string) *Condition {
	for i := range conditions {
		if conditions[i].Type == conditionType {
			return &conditions[i]
		}
	}
	return nil
}

// SetCondition returns conditions with c put in place of the one of its type, or
// added at the end. The transition time of an unchanged status is kept, so that
// the same claim has the same bytes. The slice passed in is not modified.
func SetCondition(conditions []Condition, c Condition) []Condition {
	out := make([]Condition, 0, len(conditions)+1)
	placed := false
	for _, old := range conditions {
		if old.Type != c.Type {
			out = append(out, old)
			continue
		}
		if old.Status == c.Status {
			c.LastTransitionTime = old.LastTransitionTime
		}
		out = append(out, c)
		placed = true
	}
	if !placed {
		out = append(out, c)
	}
	return out
}
