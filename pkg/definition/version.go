package definition

import (
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/runtime"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
)

// revisionName returns the name of the DefinitionRevision that an
// Application means with name@version.
func revisionName(name, version string) string {
	return name + "-v" + strings.TrimPrefix(version, "v")
}

// versionOf returns spec.version of a wire object.
func versionOf(obj runtime.Object) string {
	switch o := obj.(type) {
	case *v1beta1.ComponentDefinition:
		return o.Spec.Version
	case *v1beta1.TraitDefinition:
		return o.Spec.Version
	case *v1beta1.PolicyDefinition:
		return o.Spec.Version
	case *v1beta1.WorkflowStepDefinition:
		return o.Spec.Version
	}
	return ""
}

// newest returns the one of the revision names that is the highest x.y.z
// version under a prefix such as 1 or 1.2, "" when there is none.
func newest(name, prefix string, revisions []string) string {
	want, ok := numbers(strings.TrimPrefix(prefix, "v"))
	if !ok || len(want) > 2 {
		return ""
	}
	best, bestVersion := "", []int(nil)
	for _, revision := range revisions {
		suffix, found := strings.CutPrefix(revision, name+"-v")
		if !found {
			continue
		}
		v, ok := numbers(suffix)
		if !ok || len(v) != 3 || compare(v[:len(want)], want) != 0 {
			continue
		}
		if best == "" || compare(v, bestVersion) > 0 {
			best, bestVersion = revision, v
		}
	}
	return best
}

// numbers splits a dotted version.
func numbers(s string) ([]int, bool) {
	var out []int
	for part := range strings.SplitSeq(s, ".") {
		n, err := strconv.Atoi(part)
		if err != nil || n < 0 {
			return nil, false
		}
		out = append(out, n)
	}
	return out, true
}

// compare orders dotted versions by their numbers.
func compare(a, b []int) int {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return a[i] - b[i]
		}
	}
	return len(a) - len(b)
}
