package transform

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Names of the feature gates, as KubeVela has them.
const (
	gateScoped = "EnableApplicationScopedPolicies"
	gateGlobal = "EnableGlobalPolicies"
)

// Gates switch on what is off by default. It is a value for a flag.
type Gates struct {
	Scoped bool // Application-scoped policies run at all
	Global bool // and those that no Application names
}

// Set reads "Name=true,Other=false".
func (g *Gates) Set(text string) error {
	for pair := range strings.SplitSeq(text, ",") {
		if pair = strings.TrimSpace(pair); pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		on, err := strconv.ParseBool(value)
		if err != nil {
			return fmt.Errorf("%q: want %s=true or %s=false", pair, name, name)
		}
		known := map[string]*bool{gateScoped: &g.Scoped, gateGlobal: &g.Global}
		gate, ok := known[name]
		if !ok {
			return fmt.Errorf("there is no feature gate %q: want %s or %s", name, gateScoped, gateGlobal)
		}
		*gate = on
	}
	return nil
}

// String is what Set reads.
func (g *Gates) String() string {
	var on []string
	for name, set := range map[string]bool{gateScoped: g.Scoped, gateGlobal: g.Global} {
		if set {
			on = append(on, name+"=true")
		}
	}
	slices.Sort(on)
	return strings.Join(on, ",")
}

// Type is what the usage of a flag calls the value.
func (g *Gates) Type() string { return "gates" }
