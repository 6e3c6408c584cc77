package helm

import (
	"fmt"
	"maps"

	v2 "helm.sh/helm/v4/pkg/chart/v2"
)

// How values of users, charts and their dependencies come together is Helm's,
// to the last null; TestValuesAreHelms compares. It is done here because Helm's
// own prints values, which may be secret, to the log, and brings a reader of
// schemas that compiles those of its language in every start of the program. And
// with Helm's, two imports of one object can make a circle, which ends the
// process.

// globalKey is where values are that all charts see.
const globalKey = "global"

// coalesce completes the values of a user by those of a chart and, each below
// its name, of the charts that it depends on. A null of the user removes what
// the chart has, unless nulls are kept for a later pass. It changes v.
func coalesce(c *v2.Chart, v map[string]any, keepNulls bool) error {
	for key, val := range copied(c.Values) {
		given, ok := v[key]
		table, isTable := val.(map[string]any)
		switch object, isObject := given.(map[string]any); {
		case ok && given == nil && !keepNulls:
			delete(v, key)
		case ok && isObject && isTable:
			keep := keepNulls || dependsOn(c, key)
			if !keep {
				dropNulls(table)
			}
			overlay(object, table, keep)
		case ok: // what the user says stands
		case keepNulls:
			v[key] = val
		case val != nil:
			dropNulls(table)
			v[key] = val
		}
	}
	for _, sub := range c.Dependencies() {
		below, ok := v[sub.Name()]
		if !ok {
			below = map[string]any{}
		}
		object, isObject := below.(map[string]any)
		if !isObject {
			return fmt.Errorf("%s: expected an object with the values of the chart %q, got %T", sub.Name(), sub.Name(), below)
		}
		v[sub.Name()] = object
		shareGlobals(object, v)
		if err := coalesce(sub, object, keepNulls); err != nil {
			return err
		}
	}
	return nil
}

func dependsOn(c *v2.Chart, name string) bool {
	for _, sub := range c.Dependencies() {
		if sub.Name() == name {
			return true
		}
	}
	return false
}

// overlay completes dst by src. A null in dst removes the key, if src has
// something there and nulls are not kept.
func overlay(dst, src map[string]any, keepNulls bool) {
	for key, val := range src {
		has, ok := dst[key]
		below, isObject := has.(map[string]any)
		more, isTable := val.(map[string]any)
		switch {
		case !ok:
			dst[key] = val
		case has == nil && val != nil && !keepNulls:
			delete(dst, key)
		case isObject && isTable:
			overlay(below, more, keepNulls)
		}
	}
}

// shareGlobals gives the globals of a chart to one that it depends on, whose own
// are below them.
func shareGlobals(to, from map[string]any) {
	own, ok := tableOf(to, globalKey)
	above, ok2 := tableOf(from, globalKey)
	if !ok || !ok2 {
		return
	}
	for key, val := range above {
		has, taken := own[key]
		below, isObject := has.(map[string]any)
		switch table, isTable := val.(map[string]any); {
		case isTable && !taken:
			own[key] = maps.Clone(table)
		case isTable && isObject:
			top := maps.Clone(table) // what is below is shared, and so gets to the chart above: as in Helm
			overlay(top, below, true)
			own[key] = top
		case isTable || isObject: // an object and something else do not mix
		default:
			own[key] = val
		}
	}
	to[globalKey] = own
}

// tableOf returns the object under a key, a new one when there is nothing.
func tableOf(v map[string]any, key string) (map[string]any, bool) {
	has, ok := v[key]
	if !ok {
		return map[string]any{}, true
	}
	table, ok := has.(map[string]any)
	return table, ok
}

// dropNulls removes what is null.
func dropNulls(m map[string]any) {
	for key, val := range m {
		if val == nil {
			delete(m, key)
		} else if sub, ok := val.(map[string]any); ok {
			dropNulls(sub)
		}
	}
}
