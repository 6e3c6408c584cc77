package plan

import (
	"slices"

	"github.com/seed-c5f95f19/vela/pkg/delivery/manifest"
)

// The canonical form of a plan: what it does, not why, and not in which state
// the rest of the world is.
type (
	canonical struct {
		Applies  []canonicalApply  `json:"applies"`
		Deletes  []canonicalDelete `json:"deletes"`
		Refusals []manifest.Key    `json:"refusals"`
		Final    bool              `json:"final"`
	}
	canonicalApply struct {
		Key     manifest.Key `json:"key"`
		Action  Action       `json:"action"`
		Content string       `json:"content"` // of the real values, secrets included
		Changes []Change     `json:"changes"`
		Replace bool         `json:"replace"`
		Patch   *Metadata    `json:"patch"`
	}
	canonicalDelete struct {
		Key     manifest.Key `json:"key"`
		Orphan  bool         `json:"orphan"`
		Release *Metadata    `json:"release"`
	}
)

// digest identifies what a plan does. Unchanged objects, keeps and the state of
// the cluster do not count.
func digest(p Plan) string {
	c := canonical{Final: p.Final}
	for _, a := range p.Applies {
		if a.Writes() {
			c.Applies = append(c.Applies, canonicalApply{
				Key: a.Manifest.Key, Action: a.Action, Content: a.Digest,
				Changes: a.Changes, Replace: a.Replace, Patch: a.Patch,
			})
		}
	}
	for _, d := range p.Deletes {
		c.Deletes = append(c.Deletes, canonicalDelete{Key: d.Entry.Key, Orphan: d.Orphan, Release: d.Release})
	}
	for _, r := range p.Refusals {
		c.Refusals = append(c.Refusals, r.Key)
	}
	slices.SortFunc(c.Applies, func(a, b canonicalApply) int { return manifest.Compare(a.Key, b.Key) })
	slices.SortFunc(c.Deletes, func(a, b canonicalDelete) int { return manifest.Compare(a.Key, b.Key) })
	slices.SortFunc(c.Refusals, manifest.Compare)
	return "sha256:" + manifest.Digest(c)
}
