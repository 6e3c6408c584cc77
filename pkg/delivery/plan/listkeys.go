package plan

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"k8s.io/apimachinery/pkg/api/resource"
)

// listKeys returns what tells the elements of a list apart, for the lists that
// Kubernetes merges by a key: the fields to try, in order.
func listKeys(field string) []string {
	switch field {
	case "containers", "initContainers", "ephemeralContainers", "volumes", "env", "imagePullSecrets",
		"secrets", "webhooks", "resourceClaims", "validations":
		return []string{"name"}
	case "ports":
		return []string{"containerPort", "port"}
	case "volumeMounts":
		return []string{"mountPath"}
	case "volumeDevices":
		return []string{"devicePath"}
	case "hostAliases":
		return []string{"ip"}
	case "topologySpreadConstraints":
		return []string{"topologyKey"}
	case "ownerReferences":
		return []string{"uid"}
	case "conditions":
		return []string{"type"}
	}
	return nil
}

// named are the names of the elements of two lists.
type named struct {
	want []string       // by index
	live map[string]int // index by name
}

// keyed names the elements of both lists, if each has a name of its own.
func (c *comparer) keyed(at place, want, live []any) (named, bool) {
	if !c.builtin {
		return named{}, false
	}
	for _, key := range listKeys(at.leaf()) {
		w, wok := elementNames(key, want)
		l, lok := elementNames(key, live)
		if !wok || !lok {
			continue
		}
		out := named{want: w, live: make(map[string]int, len(l))}
		for n, name := range l {
			out.live[name] = n
		}
		return out, true
	}
	return named{}, false
}

func elementNames(key string, list []any) ([]string, bool) {
	names := make([]string, len(list))
	seen := make(map[string]bool, len(list))
	for n, element := range list {
		m, ok := element.(map[string]any)
		if !ok || m[key] == nil {
			return nil, false
		}
		name := fmt.Sprint(m[key])
		switch key {
		case "containerPort", "port":
			if protocol, _ := m["protocol"].(string); protocol != "" && protocol != "TCP" {
				name += "/" + protocol
			}
		case "topologyKey":
			name += fmt.Sprint("/", m["whenUnsatisfiable"])
		}
		if seen[name] {
			return nil, false
		}
		seen[name] = true
		names[n] = name
	}
	return names, true
}

// equalScalars compares two values that are no maps and lists. Numbers are equal
// whatever their Go type is, quantities and ports in any notation.
func equalScalars(at place, want, live any) bool {
	if want == live {
		return true
	}
	w, wok := number(want)
	l, lok := number(live)
	if wok && lok {
		return w == l
	}
	if !wok && !lok && fmt.Sprintf("%T", want) != fmt.Sprintf("%T", live) {
		return false
	}
	switch {
	case isQuantity(at):
		return equalQuantities(want, live)
	case isPort(at.leaf()):
		return fmt.Sprint(want) == fmt.Sprint(live)
	}
	return false
}

func number(v any) (float64, bool) {
	switch n := v.(type) {
	case int:
		return float64(n), true
	case int32:
		return float64(n), true
	case int64:
		return float64(n), true
	case float64:
		return n, true
	case json.Number:
		f, err := n.Float64()
		return f, err == nil
	}
	return 0, false
}

// isQuantity reports whether the API reads the value at that place as a quantity.
func isQuantity(at place) bool {
	switch at.leaf() {
	case "sizeLimit", "divisor", "averageValue":
		return true
	}
	if len(at.steps) < 2 {
		return false
	}
	parents := []string{"limits", "requests", "capacity", "hard", "default", "defaultRequest", "max", "min", "overhead", "podFixed"}
	return slices.Contains(parents, at.steps[len(at.steps)-2].name)
}

func isPort(field string) bool {
	return slices.Contains([]string{"port", "targetPort", "nodePort", "maxSurge", "maxUnavailable", "minAvailable"}, field)
}

func equalQuantities(a, b any) bool {
	qa, aerr := quantity(a)
	qb, berr := quantity(b)
	return aerr == nil && berr == nil && qa.Cmp(qb) == 0
}

func quantity(v any) (resource.Quantity, error) {
	text := fmt.Sprint(v)
	if f, ok := v.(float64); ok {
		text = strconv.FormatFloat(f, 'f', -1, 64)
	}
	return resource.ParseQuantity(text)
}
