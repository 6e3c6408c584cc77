package kinds

import (
	"cmp"
	"fmt"
)

// pod is healthy when it is ready, or has run to its end.
func pod(o object) Verdict {
	phase := o.text("status", "phase")
	if phase == "Succeeded" {
		return healthy(phase)
	}
	c, _ := o.condition("Ready")
	if phase == "Running" && c.status == "True" {
		return healthy(phase)
	}
	for _, list := range []string{"initContainerStatuses", "containerStatuses"} {
		for _, status := range o.list("status", list) {
			for _, state := range []string{"waiting", "terminated"} {
				why := condition{reason: status.text("state", state, "reason"), message: status.text("state", state, "message")}
				if why.reason != "" && why.reason != "Completed" {
					return unhealthy(fmt.Sprintf("container %q: %s", status.text("name"), why.says("")))
				}
			}
		}
	}
	if c, ok := o.condition("PodScheduled"); ok && c.status == "False" {
		return unhealthy(c.says("not scheduled"))
	}
	if phase == "" {
		return unhealthy("not started yet")
	}
	return unhealthy(c.says(phase))
}

// service is healthy when it exists; one of type LoadBalancer when it has an
// address.
func service(o object) Verdict {
	if o.text("spec", "type") != "LoadBalancer" {
		return healthy("")
	}
	if address := loadBalancer(o); address != "" {
		return healthy("ExternalIP:" + address)
	}
	return unhealthy("ExternalIP:Pending")
}

// loadBalancer returns the first address of a Service or an Ingress.
func loadBalancer(o object) string {
	for _, i := range o.list("status", "loadBalancer", "ingress") {
		for _, field := range []string{"ip", "hostname"} {
			if address := i.text(field); address != "" {
				return address
			}
		}
	}
	return ""
}

// persistentVolumeClaim is healthy unless its volume is lost. One that is
// pending may wait for its first pod: what depends on it must go on.
func persistentVolumeClaim(o object) Verdict {
	phase := cmp.Or(o.text("status", "phase"), "Pending")
	return Verdict{Healthy: phase == "Bound" || phase == "Pending", Message: phase}
}

func persistentVolume(o object) Verdict {
	phase := o.text("status", "phase")
	return Verdict{Healthy: phase == "Bound" || phase == "Available" || phase == "Released", Message: phase}
}

func namespace(o object) Verdict {
	phase := o.text("status", "phase")
	return Verdict{Healthy: phase == "Active", Message: phase}
}
