// Package revisions decides which DefinitionRevision keeps a definition: under
// which name and number, when a new one is needed, and which old ones can go. It
// judges only; the controller of definitions and admission read and write.
package revisions

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/definition"
	"github.com/seed-c5f95f19/vela/pkg/oam"
)

var threeNumbers = regexp.MustCompile(`^(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)$`)

// Given returns the name that the author of a definition wants for its
// revision: by spec.version, or by an annotation. It is "" when revisions are to
// be counted.
func Given(d definition.Definition) (string, error) {
	version, name := d.Version(), d.Annotations()[oam.AnnotationDefinitionRevision]
	switch {
	case version != "" && name != "":
		return "", fmt.Errorf("spec.version %q and the annotation %s %q both name the revision: keep one of them",
			version, oam.AnnotationDefinitionRevision, name)
	case version != "":
		if !threeNumbers.MatchString(version) {
			return "", fmt.Errorf("spec.version is %q, expected three numbers such as 1.2.3", version)
		}
		return d.Name + "-v" + version, nil
	case name != "":
		full := definition.Ref{Name: d.Name + "@" + name}.RevisionName()
		if problems := validation.IsDNS1123Subdomain(full); len(problems) > 0 {
			return "", fmt.Errorf("the annotation %s is %q, which makes %q no name of an object: %s",
				oam.AnnotationDefinitionRevision, name, full, strings.Join(problems, "; "))
		}
		return full, nil
	}
	return "", nil
}

// ErrTaken is what errors.Is finds when the name of a revision belongs to other
// content already.
var ErrTaken = errors.New("the revision exists with other content")

// Next decides which revision keeps d: one of those that exist, or a new
// one, which has no resourceVersion. Revisions do not change, so a given name
// that stands for other content is ErrTaken.
func Next(d definition.Definition, given string, existing []v1beta1.DefinitionRevision) (*v1beta1.DefinitionRevision, error) {
	number, latest := int64(1), (*v1beta1.DefinitionRevision)(nil)
	for i := range existing {
		rev := &existing[i]
		if rev.Name == given {
			return rev, same(d, rev)
		}
		if latest == nil || rev.Spec.Revision > latest.Spec.Revision {
			latest = rev
		}
	}
	if latest != nil {
		if given == "" && same(d, latest) == nil {
			return latest, nil
		}
		number = latest.Spec.Revision + 1
	}
	if given == "" {
		given = free(d.Name, &number, existing)
	}
	return Keep(d, given, number)
}

// free counts on until a name is not taken: revisions with given names count too.
func free(name string, number *int64, existing []v1beta1.DefinitionRevision) string {
	for {
		candidate := fmt.Sprintf("%s-v%d", name, *number)
		if !slices.ContainsFunc(existing, func(r v1beta1.DefinitionRevision) bool { return r.Name == candidate }) {
			return candidate
		}
		*number++
	}
}

func same(d definition.Definition, rev *v1beta1.DefinitionRevision) error {
	if rev.Spec.DefinitionType != d.Kind.RevisionType() {
		return fmt.Errorf("DefinitionRevision %q holds a definition of type %s: %w", rev.Name, rev.Spec.DefinitionType, ErrTaken)
	}
	kept, err := definition.FromRevision(rev)
	if err != nil {
		return err
	}
	if kept.Digest != d.Digest {
		return fmt.Errorf("DefinitionRevision %q: %w", rev.Name, ErrTaken)
	}
	return nil
}

// Surplus returns the revisions of one definition to delete so that limit are
// left beside the latest: the oldest ones, but none that keep says is used.
func Surplus(existing []v1beta1.DefinitionRevision, latest string, limit int, keep map[string]bool) []v1beta1.DefinitionRevision {
	sorted := slices.Clone(existing)
	slices.SortFunc(sorted, func(a, b v1beta1.DefinitionRevision) int { return int(a.Spec.Revision - b.Spec.Revision) })
	var out []v1beta1.DefinitionRevision
	for _, rev := range sorted {
		if len(sorted)-len(out) <= limit+1 {
			break
		}
		if rev.Name != latest && !keep[rev.Name] {
			out = append(out, rev)
		}
	}
	return out
}

// Keep returns the DefinitionRevision that keeps d under a name and a number. It
// has the labels of the definition and one that leads back to it.
func Keep(d definition.Definition, name string, number int64) (*v1beta1.DefinitionRevision, error) {
	labels := d.Labels()
	if labels == nil {
		labels = map[string]string{}
	}
	labels[d.Kind.RevisionLabel()] = d.Name
	rev := &v1beta1.DefinitionRevision{
		TypeMeta: metav1.TypeMeta{APIVersion: v1beta1.GroupVersion.String(), Kind: "DefinitionRevision"},
		ObjectMeta: metav1.ObjectMeta{
			Namespace: d.Namespace, Name: name, Labels: labels,
		},
		Spec: v1beta1.DefinitionRevisionSpec{
			Revision: number, RevisionHash: d.Hash(), DefinitionType: d.Kind.RevisionType(),
		},
	}
	switch o := d.Object.(type) {
	case *v1beta1.ComponentDefinition:
		rev.Spec.ComponentDefinition = *o.DeepCopy()
	case *v1beta1.TraitDefinition:
		rev.Spec.TraitDefinition = *o.DeepCopy()
	case *v1beta1.PolicyDefinition:
		rev.Spec.PolicyDefinition = *o.DeepCopy()
	case *v1beta1.WorkflowStepDefinition:
		rev.Spec.WorkflowStepDefinition = *o.DeepCopy()
	default:
		return nil, fmt.Errorf("%T has no revisions", d.Object)
	}
	return rev, nil
}
