package simnode

import (
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// judge returns the status a pod should have now, nil when it has it already,
// and when to look again.
func (n *Node) judge(pod *corev1.Pod) (*corev1.PodStatus, time.Duration) {
	if ended(pod.Status.Phase) {
		return nil, 0
	}
	now := metav1.NewTime(n.now())
	var want *corev1.PodStatus
	var again time.Duration
	switch left := n.remaining(pod); {
	case !runsToEnd(pod), left > 0:
		want, again = n.running(pod, now), left
	default:
		want = n.finished(pod, now)
	}
	if equality.Semantic.DeepEqual(*want, pod.Status) {
		return nil, again
	}
	return want, again
}

// remaining is how long a pod that runs to its end still runs; it counts from
// the start we gave it, or from now.
func (n *Node) remaining(pod *corev1.Pod) time.Duration {
	switch {
	case !runsToEnd(pod):
		return 0
	case pod.Status.StartTime == nil:
		return jobRuns
	}
	// Start times have whole seconds; a pod never ends before its second.
	return pod.Status.StartTime.Add(jobRuns).Sub(n.now())
}

// running is the status of a pod whose containers have all started.
func (n *Node) running(pod *corev1.Pod, now metav1.Time) *corev1.PodStatus {
	want := n.begin(pod, now)
	outcome := pod.Annotations[OutcomeAnnotation]
	started := outcome != OutcomeNoImage && outcome != OutcomeCrashLoop
	ready := started && outcome != OutcomeUnready
	if started || outcome == OutcomeCrashLoop {
		want.Phase = corev1.PodRunning
	}
	for i, c := range pod.Spec.InitContainers {
		sidecar := c.RestartPolicy != nil && *c.RestartPolicy == corev1.ContainerRestartPolicyAlways
		status := container(c, pod.Status.InitContainerStatuses, i)
		status.Ready, status.Started = true, new(sidecar)
		status.State = corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: *want.StartTime}}
		if !sidecar {
			status.State = terminated(0, *want.StartTime, *want.StartTime)
		}
		want.InitContainerStatuses = append(want.InitContainerStatuses, status)
	}
	for i, c := range pod.Spec.Containers {
		status := container(c, pod.Status.ContainerStatuses, i)
		status.Ready, status.Started = ready, new(started)
		status.State = state(outcome, *want.StartTime)
		want.ContainerStatuses = append(want.ContainerStatuses, status)
	}
	n.conditions(pod, want, now, ready)
	return want
}

// finished is the status of a Job's pod after its run.
func (n *Node) finished(pod *corev1.Pod, now metav1.Time) *corev1.PodStatus {
	want := n.begin(pod, now)
	code := int32(0)
	want.Phase = corev1.PodSucceeded
	if pod.Annotations[OutcomeAnnotation] == OutcomeFailed {
		code, want.Phase = 1, corev1.PodFailed
	}
	for i, c := range pod.Spec.InitContainers {
		status := container(c, pod.Status.InitContainerStatuses, i)
		status.State = terminated(0, *want.StartTime, *want.StartTime)
		want.InitContainerStatuses = append(want.InitContainerStatuses, status)
	}
	for i, c := range pod.Spec.Containers {
		status := container(c, pod.Status.ContainerStatuses, i)
		status.Started = new(false)
		status.State = terminated(code, *want.StartTime, now)
		want.ContainerStatuses = append(want.ContainerStatuses, status)
	}
	n.conditions(pod, want, now, false)
	return want
}

// begin is what every status shares: addresses and the time of the start.
func (n *Node) begin(pod *corev1.Pod, now metav1.Time) *corev1.PodStatus {
	want := pod.Status.DeepCopy()
	want.InitContainerStatuses, want.ContainerStatuses = nil, nil
	want.HostIP, want.HostIPs = n.address, []corev1.HostIP{{IP: n.address}}
	if want.PodIP == "" {
		want.PodIP = n.address
		if !pod.Spec.HostNetwork {
			want.PodIP = n.ips.take(string(pod.UID))
		}
	}
	want.PodIPs = []corev1.PodIP{{IP: want.PodIP}}
	if want.StartTime == nil {
		want.StartTime = &now
	}
	want.ObservedGeneration = pod.Generation
	return want
}

func container(c corev1.Container, before []corev1.ContainerStatus, i int) corev1.ContainerStatus {
	status := corev1.ContainerStatus{
		Name: c.Name, Image: c.Image, ImageID: "simulated://" + c.Image, ContainerID: "simulated://" + c.Name,
	}
	if i < len(before) {
		status.RestartCount = before[i].RestartCount
	}
	return status
}

func state(outcome string, since metav1.Time) corev1.ContainerState {
	switch outcome {
	case OutcomeNoImage:
		return corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{
			Reason: "ImagePullBackOff", Message: "simulated: the image cannot be pulled",
		}}
	case OutcomeCrashLoop:
		return corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{
			Reason: "CrashLoopBackOff", Message: "simulated: the container ends as soon as it starts",
		}}
	}
	return corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: since}}
}

func terminated(code int32, from, to metav1.Time) corev1.ContainerState {
	reason := "Completed"
	if code != 0 {
		reason = "Error"
	}
	return corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
		ExitCode: code, Reason: reason, StartedAt: from, FinishedAt: to,
	}}
}

// conditions sets what a kubelet reports; Ready also waits for the pod's
// readiness gates, which others set.
func (n *Node) conditions(pod *corev1.Pod, want *corev1.PodStatus, now metav1.Time, ready bool) {
	gates := !slices.ContainsFunc(pod.Spec.ReadinessGates, func(g corev1.PodReadinessGate) bool {
		return !isTrue(want.Conditions, g.ConditionType)
	})
	reason := ""
	if ended(want.Phase) {
		reason = "PodCompleted"
	}
	set := func(kind corev1.PodConditionType, claim bool, reason string) {
		status := corev1.ConditionFalse
		if claim {
			status, reason = corev1.ConditionTrue, ""
		}
		setCondition(want, corev1.PodCondition{
			Type: kind, Status: status, Reason: reason,
			LastTransitionTime: now, ObservedGeneration: pod.Generation,
		})
	}
	unready, notGated := reason, reason
	if reason == "" {
		unready, notGated = "ContainersNotReady", "ReadinessGatesNotReady"
		if !ready {
			notGated = unready
		}
	}
	set(corev1.PodReadyToStartContainers, true, "")
	set(corev1.PodInitialized, true, "")
	set(corev1.ContainersReady, ready, unready)
	set(corev1.PodReady, ready && gates, notGated)
}

// setCondition replaces the condition of that type and keeps the time of the
// last change when the status is the same.
func setCondition(status *corev1.PodStatus, c corev1.PodCondition) {
	for i, old := range status.Conditions {
		if old.Type != c.Type {
			continue
		}
		if old.Status == c.Status {
			c.LastTransitionTime = old.LastTransitionTime
		}
		status.Conditions[i] = c
		return
	}
	status.Conditions = append(status.Conditions, c)
}

func isTrue(conditions []corev1.PodCondition, kind corev1.PodConditionType) bool {
	return slices.ContainsFunc(conditions, func(c corev1.PodCondition) bool {
		return c.Type == kind && c.Status == corev1.ConditionTrue
	})
}

func ended(phase corev1.PodPhase) bool {
	return phase == corev1.PodSucceeded || phase == corev1.PodFailed
}

// runsToEnd reports a pod whose containers are expected to exit: a Job's. A
// bare pod that never restarts runs on, since nobody says how long it takes.
func runsToEnd(pod *corev1.Pod) bool {
	owner := metav1.GetControllerOf(pod)
	return owner != nil && owner.Kind == "Job" && pod.Spec.RestartPolicy != corev1.RestartPolicyAlways
}
