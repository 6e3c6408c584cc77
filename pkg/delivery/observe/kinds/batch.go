package kinds

import "fmt"

// job is healthy when it is complete.
func job(o object) Verdict {
	message := fmt.Sprintf("Active/Failed/Succeeded:%d/%d/%d",
		o.count("status", "active"), o.count("status", "failed"), o.count("status", "succeeded"))
	if c, ok := o.condition("Failed"); ok && c.status == "True" {
		return unhealthy(message + ", " + c.says("Failed"))
	}
	if c, ok := o.condition("Complete"); ok && c.status == "True" {
		return healthy(message)
	}
	if o.is("spec", "suspend") {
		message += ", suspended"
	}
	return unhealthy(message)
}

// cronJob is healthy as soon as it exists: that a run fails is seen at the run.
func cronJob(o object) Verdict {
	if o.is("spec", "suspend") {
		return healthy("suspended")
	}
	return healthy("")
}
