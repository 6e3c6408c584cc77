package kinds

// horizontalPodAutoscaler is healthy unless it says that it cannot scale.
func horizontalPodAutoscaler(o object) Verdict {
	if c, ok := o.condition("AbleToScale"); ok && c.status == "False" {
		return unhealthy(c.says("cannot scale"))
	}
	if c, ok := o.condition("ScalingActive"); ok && c.status == "False" && c.reason != "ScalingDisabled" {
		return healthy(c.says("")) // it keeps the replicas that there are
	}
	return healthy("")
}

// customResourceDefinition is healthy when objects of its kind can be made.
func customResourceDefinition(o object) Verdict {
	if c, ok := o.condition("NamesAccepted"); ok && c.status == "False" {
		return unhealthy(c.says("its names are taken"))
	}
	if c, _ := o.condition("Established"); c.status != "True" {
		return unhealthy(c.says("not established yet"))
	}
	return healthy("")
}

// application is healthy when its workflow is through and everything of it is
// healthy.
func application(o object) Verdict {
	phase := o.text("status", "status")
	if phase == "" {
		return unhealthy("not started yet")
	}
	return Verdict{Healthy: phase == "running", Message: phase}
}

// terraformConfiguration is healthy when its resources exist.
func terraformConfiguration(o object) Verdict {
	state := o.text("status", "apply", "state")
	if state == "" {
		return unhealthy("not applied yet")
	}
	message := o.text("status", "apply", "message")
	if state == "Available" || message == "" {
		message = state
	}
	return Verdict{Healthy: state == "Available", Message: message}
}
