package kinds_test

import (
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/seed-c5f95f19/vela/pkg/delivery/observe/kinds"
)

func TestJudge(t *testing.T) {
	healthy := func(message string) kinds.Verdict { return kinds.Verdict{Healthy: true, Message: message} }
	unhealthy := func(message string) kinds.Verdict { return kinds.Verdict{Message: message} }
	cases := map[string]struct {
		live string
		want kinds.Verdict
	}{
		"an object of an unknown kind without status is healthy": {
			`{apiVersion: v1, kind: ConfigMap}`, healthy("")},
		"an object that is being deleted is not healthy": {
			`{apiVersion: v1, kind: ConfigMap, metadata: {deletionTimestamp: "2026-01-01T00:00:00Z"}}`, unhealthy("is being deleted")},
		"a change that the controller has not seen is not healthy": {
			`{apiVersion: x/v1, kind: X, metadata: {generation: 2}, status: {observedGeneration: 1, conditions: [{type: Ready, status: "True"}]}}`,
			unhealthy("its controller has not seen the last change yet")},
		"the condition Ready decides": {
			`{apiVersion: x/v1, kind: X, status: {conditions: [{type: Ready, status: "False", reason: Why, message: because}]}}`,
			unhealthy("Why: because")},
		"the condition Available decides where there is no Ready": {
			`{apiVersion: x/v1, kind: X, status: {conditions: [{type: Available, status: "Unknown"}]}}`, unhealthy("not Available")},
		"a ready object that is stalled is not healthy": {
			`{apiVersion: x/v1, kind: X, status: {conditions: [{type: Ready, status: "True"}, {type: Stalled, status: "True", reason: R}]}}`,
			unhealthy("R")},
		"an object that is still reconciled is not healthy": {
			`{apiVersion: x/v1, kind: X, status: {conditions: [{type: Reconciling, status: "True"}]}}`, unhealthy("Reconciling")},
		"conditions of other names say nothing": {
			`{apiVersion: x/v1, kind: X, status: {conditions: [{type: Other, status: "False"}]}}`, healthy("")},
		"status fields of the wrong type are like none": {
			`{apiVersion: x/v1, kind: X, status: {conditions: nonsense, observedGeneration: many}}`, healthy("")},

		"a Deployment without status is not healthy": {
			`{apiVersion: apps/v1, kind: Deployment, spec: {replicas: 0}}`, unhealthy("Ready:0/0")},
		"a Deployment with all replicas is healthy": {
			`{apiVersion: apps/v1, kind: Deployment, status: {observedGeneration: 1, replicas: 1, updatedReplicas: 1, readyReplicas: 1, availableReplicas: 1}}`,
			healthy("Ready:1/1")},
		"a Deployment with a replica of the old template is not healthy": {
			`{apiVersion: apps/v1, kind: Deployment, status: {observedGeneration: 1, replicas: 2, updatedReplicas: 1, readyReplicas: 2, availableReplicas: 1}}`,
			unhealthy("Ready:2/1")},
		"a Deployment that does not progress says why": {
			`{apiVersion: apps/v1, kind: Deployment, status: {conditions: [{type: Progressing, status: "False", reason: ProgressDeadlineExceeded, message: m}]}}`,
			unhealthy("Ready:0/1, ProgressDeadlineExceeded: m")},
		"a StatefulSet with a partition may keep old replicas": {
			`{apiVersion: apps/v1, kind: StatefulSet, spec: {replicas: 3, updateStrategy: {rollingUpdate: {partition: 2}}}, status: {observedGeneration: 1, replicas: 3, readyReplicas: 3, updatedReplicas: 1}}`,
			healthy("Ready:3/3")},
		"a StatefulSet with fewer new replicas than its partition asks for is not healthy": {
			`{apiVersion: apps/v1, kind: StatefulSet, spec: {replicas: 3, updateStrategy: {rollingUpdate: {partition: 1}}}, status: {observedGeneration: 1, replicas: 3, readyReplicas: 3, updatedReplicas: 1}}`,
			unhealthy("Ready:3/3")},
		"a DaemonSet of no node is healthy once it was seen": {
			`{apiVersion: apps/v1, kind: DaemonSet, status: {observedGeneration: 1}}`, healthy("Ready:0/0")},
		"a DaemonSet with an old pod is not healthy": {
			`{apiVersion: apps/v1, kind: DaemonSet, status: {observedGeneration: 1, desiredNumberScheduled: 2, numberReady: 2, updatedNumberScheduled: 1}}`,
			unhealthy("Ready:2/2")},
		"a ReplicaSet with all replicas is healthy": {
			`{apiVersion: apps/v1, kind: ReplicaSet, spec: {replicas: 2}, status: {observedGeneration: 1, replicas: 2, readyReplicas: 2}}`, healthy("Ready:2/2")},

		"a ready Pod is healthy": {
			`{apiVersion: v1, kind: Pod, status: {phase: Running, conditions: [{type: Ready, status: "True"}]}}`, healthy("Running")},
		"a Pod whose image cannot be pulled says so": {
			`{apiVersion: v1, kind: Pod, status: {phase: Pending, containerStatuses: [{name: web, state: {waiting: {reason: ImagePullBackOff, message: no such image}}}]}}`,
			unhealthy(`container "web": ImagePullBackOff: no such image`)},
		"a Pod that no node takes says so": {
			`{apiVersion: v1, kind: Pod, status: {phase: Pending, conditions: [{type: PodScheduled, status: "False", reason: Unschedulable, message: no node}]}}`,
			unhealthy("Unschedulable: no node")},
		"a Pod that has run to its end is healthy": {`{apiVersion: v1, kind: Pod, status: {phase: Succeeded}}`, healthy("Succeeded")},
		"a complete Job is healthy": {
			`{apiVersion: batch/v1, kind: Job, status: {succeeded: 1, conditions: [{type: Complete, status: "True"}]}}`,
			healthy("Active/Failed/Succeeded:0/0/1")},
		"a failed Job says why": {
			`{apiVersion: batch/v1, kind: Job, status: {failed: 2, conditions: [{type: Failed, status: "True", reason: DeadlineExceeded}]}}`,
			unhealthy("Active/Failed/Succeeded:0/2/0, DeadlineExceeded")},
		"a suspended Job is not healthy": {
			`{apiVersion: batch/v1, kind: Job, spec: {suspend: true}}`, unhealthy("Active/Failed/Succeeded:0/0/0, suspended")},
		"a CronJob is healthy": {`{apiVersion: batch/v1, kind: CronJob}`, healthy("")},

		"a Service is healthy": {`{apiVersion: v1, kind: Service, spec: {type: ClusterIP}}`, healthy("")},
		"a LoadBalancer without address is not healthy": {
			`{apiVersion: v1, kind: Service, spec: {type: LoadBalancer}}`, unhealthy("ExternalIP:Pending")},
		"a LoadBalancer with a host name is healthy": {
			`{apiVersion: v1, kind: Service, spec: {type: LoadBalancer}, status: {loadBalancer: {ingress: [{hostname: h}]}}}`, healthy("ExternalIP:h")},
		"an Ingress is healthy without an address":    {`{apiVersion: networking.k8s.io/v1, kind: Ingress}`, healthy("")},
		"a claim may wait for its first pod":          {`{apiVersion: v1, kind: PersistentVolumeClaim}`, healthy("Pending")},
		"a claim that lost its volume is not healthy": {`{apiVersion: v1, kind: PersistentVolumeClaim, status: {phase: Lost}}`, unhealthy("Lost")},
		"a bound claim is healthy":                    {`{apiVersion: v1, kind: PersistentVolumeClaim, status: {phase: Bound}}`, healthy("Bound")},
		"an available volume is healthy":              {`{apiVersion: v1, kind: PersistentVolume, status: {phase: Available}}`, healthy("Available")},
		"an active Namespace is healthy":              {`{apiVersion: v1, kind: Namespace, status: {phase: Active}}`, healthy("Active")},
		"an autoscaler that cannot scale says why": {
			`{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, status: {conditions: [{type: AbleToScale, status: "False", reason: R, message: m}]}}`,
			unhealthy("R: m")},
		"an autoscaler without metrics is healthy and says so": {
			`{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, status: {conditions: [{type: ScalingActive, status: "False", reason: FailedGetResourceMetric}]}}`,
			healthy("FailedGetResourceMetric")},
		"a CustomResourceDefinition is healthy when established": {
			`{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, status: {conditions: [{type: Established, status: "True"}]}}`, healthy("")},
		"a CustomResourceDefinition whose names are taken is not": {
			`{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, status: {conditions: [{type: NamesAccepted, status: "False", message: taken}]}}`,
			unhealthy("taken")},
		"a running Application is healthy": {`{apiVersion: core.oam.dev/v1beta1, kind: Application, status: {status: running}}`, healthy("running")},
		"a new Application is not":         {`{apiVersion: core.oam.dev/v1beta1, kind: Application}`, unhealthy("not started yet")},
		"a Terraform configuration is healthy when applied": {
			`{apiVersion: terraform.core.oam.dev/v1beta2, kind: Configuration, status: {apply: {state: Available, message: done}}}`, healthy("Available")},
		"a Terraform configuration that failed says why": {
			`{apiVersion: terraform.core.oam.dev/v1beta2, kind: Configuration, status: {apply: {state: ApplyFailed, message: no credentials}}}`,
			unhealthy("no credentials")},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			live := &unstructured.Unstructured{}
			if err := yaml.Unmarshal([]byte(tc.live), &live.Object); err != nil {
				t.Fatal(err)
			}
			if got := kinds.Judge(live); got != tc.want {
				t.Errorf("Judge() = %+v, want %+v", got, tc.want)
			}
		})
	}
}
