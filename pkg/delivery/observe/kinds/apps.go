package kinds

// deployment is healthy when every wanted replica is of the current template
// and available, and no other is left.
func deployment(o object) Verdict {
	want := o.countOr(1, "spec", "replicas")
	message := ready(o.count("status", "readyReplicas"), want)
	if c, ok := o.condition("Progressing"); ok && c.reason == "ProgressDeadlineExceeded" {
		return unhealthy(message + ", " + c.says(""))
	}
	if c, ok := o.condition("ReplicaFailure"); ok && c.status == "True" {
		return unhealthy(message + ", " + c.says(""))
	}
	if _, seen := o.number("status", "observedGeneration"); !seen {
		return unhealthy(message)
	}
	done := o.count("status", "replicas") == want &&
		o.count("status", "updatedReplicas") == want && o.count("status", "availableReplicas") == want
	return Verdict{Healthy: done, Message: message}
}

// statefulSet is healthy when every wanted replica is of the current template
// and ready. With a partition, or the strategy OnDelete, older ones may stay.
func statefulSet(o object) Verdict {
	want := o.countOr(1, "spec", "replicas")
	have := o.count("status", "readyReplicas")
	updated := want - o.count("spec", "updateStrategy", "rollingUpdate", "partition")
	if o.text("spec", "updateStrategy", "type") == "OnDelete" {
		updated = 0
	}
	_, seen := o.number("status", "observedGeneration")
	done := seen && have == want && o.count("status", "replicas") == want &&
		o.count("status", "updatedReplicas") >= updated
	return Verdict{Healthy: done, Message: ready(have, want)}
}

// daemonSet is healthy when every node that should run a pod runs a ready one
// of the current template.
func daemonSet(o object) Verdict {
	want := o.count("status", "desiredNumberScheduled")
	have := o.count("status", "numberReady")
	updated := o.count("status", "updatedNumberScheduled")
	if o.text("spec", "updateStrategy", "type") == "OnDelete" {
		updated = want
	}
	_, seen := o.number("status", "observedGeneration")
	return Verdict{Healthy: seen && have == want && updated >= want, Message: ready(have, want)}
}

// replicaSet is healthy when every wanted replica is ready.
func replicaSet(o object) Verdict {
	want := o.countOr(1, "spec", "replicas")
	have := o.count("status", "readyReplicas")
	message := ready(have, want)
	if c, ok := o.condition("ReplicaFailure"); ok && c.status == "True" {
		return unhealthy(message + ", " + c.says(""))
	}
	_, seen := o.number("status", "observedGeneration")
	return Verdict{Healthy: seen && have == want && o.count("status", "replicas") == want, Message: message}
}
