// Package approval holds a delivery back until its plan is approved.
//
// A Gate is asked by the deployer with the plan that it is about to execute, so
// that what is executed is what was approved, however much time or however many
// crashes lie between. It is shared by the native steps and the ones written in
// CUE.
package approval

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/seed-c5f95f19/vela/pkg/cue/provider"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider/oam"
	"github.com/seed-c5f95f19/vela/pkg/workflow"
)

// memoryPlan is where a step remembers the plan that it shows.
const memoryPlan = "plan"

// A Gate decides for one attempt of one step. It is safe for concurrent use.
type Gate struct {
	run  workflow.StepRun
	ask  bool
	look bool

	mu      sync.Mutex
	planned []oam.Plan
	held    bool
}

// New returns the gate of an attempt. It lets everything pass unless ask says
// that the step needs an approval, or the step has a plan already: then only
// what was approved passes.
func New(run workflow.StepRun, ask bool) *Gate { return &Gate{run: run, ask: ask} }

// Look returns a gate that lets nothing pass and collects the plans.
func Look(run workflow.StepRun) *Gate { return &Gate{run: run, look: true} }

// Func returns what the deployer asks; nil when everything passes anyway, so that
// nothing has to be described.
func (g *Gate) Func() oam.Allow {
	if !g.look && !g.ask && g.run.Plan == nil {
		return nil
	}
	return g.allow
}

func (g *Gate) allow(plan oam.Plan) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.planned = append(g.planned, plan)
	switch {
	case g.look:
		return provider.Wait{}
	case g.passes(plan):
		return nil
	}
	g.held = true
	return provider.Suspend{}
}

func (g *Gate) passes(plan oam.Plan) bool {
	shown := g.run.Plan
	if shown == nil {
		return !g.ask
	}
	if shown.Approved == "" || shown.Approved != shown.Digest {
		return false
	}
	if shown.ApprovedBy == workflow.ApprovedByTime || plan.Digest == shown.Approved {
		return true
	}
	if len(plan.Entries) == 0 {
		return true // everything approved is done
	}
	approved := Shown(g.run)
	return approved.Digest == shown.Approved && len(approved.Entries) > 0 && approved.Covers(plan.Kept())
}

// Held says that a delivery was stopped because its plan is not approved.
func (g *Gate) Held() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.held
}

// Plan is everything that was planned; ok is false when nothing was.
func (g *Gate) Plan() (plan oam.Plan, ok bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return Join(g.planned...), len(g.planned) > 0
}

// Shown is the plan that the step has shown, as far as it is remembered.
func Shown(run workflow.StepRun) oam.Plan { return oam.DecodePlan(run.Memory[memoryPlan]) }

// Join makes one plan of several.
func Join(plans ...oam.Plan) oam.Plan {
	if len(plans) == 1 {
		return plans[0]
	}
	var out oam.Plan
	h := sha256.New()
	for _, p := range plans {
		h.Write([]byte(p.Digest + "\n"))
		out.Entries = append(out.Entries, p.Entries...)
	}
	out.Digest = "sha256:" + hex.EncodeToString(h.Sum(nil))
	return out
}

// Memory is what a step remembers of a plan, beside what it remembers already.
func Memory(already map[string]string, plan oam.Plan) map[string]string {
	out := maps.Clone(already)
	if out == nil {
		out = map[string]string{}
	}
	out[memoryPlan] = plan.Encode()
	return out
}

// Ask is the result of a step that waits until plan is approved. message says
// what the step is about; when another plan was shown before, the result says
// what is different now.
func Ask(run workflow.StepRun, message string, plan oam.Plan) workflow.StepResult {
	message = fmt.Sprintf("%s (plan %s)", message, Short(plan.Digest))
	if shown := run.Plan; shown != nil && shown.Digest != plan.Digest {
		message = fmt.Sprintf("the plan is no longer the one that was shown (%s): %s. %s",
			Short(shown.Digest), changes(Shown(run), plan.Kept()), message)
	}
	return workflow.StepResult{
		Phase: workflow.Suspending, Message: message,
		Plan:   &workflow.Plan{Digest: plan.Digest, Summary: plan.Summary()},
		Memory: Memory(run.Memory, plan),
	}
}

// Result is Ask for the plan that the gate stopped.
func (g *Gate) Result() workflow.StepResult {
	plan, _ := g.Plan()
	return Ask(g.run, fmt.Sprintf("Waiting approval to the deploy step %q", g.run.Name), plan)
}

const shownChanges = 3

// changes tells the differences of two plans in one line.
func changes(before, now oam.Plan) string {
	diff := before.Difference(now)
	switch {
	case len(before.Entries) == 0 && before.Digest == "":
		return "what it was is not remembered"
	case len(diff) == 0:
		return "a value that is not shown has changed"
	case len(diff) > shownChanges:
		diff = append(slices.Clone(diff[:shownChanges]), fmt.Sprintf("and %d more", len(diff)-shownChanges))
	}
	return strings.Join(diff, "; ")
}

// Short is the beginning of a digest, for messages.
func Short(digest string) string {
	const visible = len("sha256:") + 12
	if len(digest) > visible {
		return digest[:visible]
	}
	return digest
}
