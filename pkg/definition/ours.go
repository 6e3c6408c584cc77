package definition

import "context"

// Ours says that a text belongs to a definition of the set: it is its template,
// or one of its rules. The name is that of the definition; kind is only a hint,
// because rules are compiled under names of their own.
func (s *Static) Ours(kind, name, text string) bool {
	for _, k := range []Kind{Kind(kind), Component, Trait, Policy, WorkflowStep} {
		d, err := s.Get(context.Background(), "", Ref{Kind: k, Name: name})
		if err != nil {
			continue
		}
		switch text {
		case d.Template, d.HealthPolicy, d.CustomStatus, d.Details:
			return true
		}
	}
	return false
}
