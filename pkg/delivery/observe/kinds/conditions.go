package kinds

// conditions judges an object of any other kind by what it says about itself.
// An object without conditions is healthy: nobody looks after it.
func conditions(o object) Verdict {
	for _, name := range []string{"Stalled", "Failed", "Degraded"} {
		if c, ok := o.condition(name); ok && c.status == "True" {
			return unhealthy(c.says(name))
		}
	}
	for _, name := range []string{"Ready", "Available", "Healthy", "Succeeded", "Complete"} {
		c, ok := o.condition(name)
		if !ok {
			continue
		}
		if c.status == "True" {
			return healthy(c.message)
		}
		return unhealthy(c.says("not " + name))
	}
	for _, name := range []string{"Reconciling", "Progressing"} {
		if c, ok := o.condition(name); ok && c.status == "True" {
			return unhealthy(c.says(name))
		}
	}
	return healthy("")
}
