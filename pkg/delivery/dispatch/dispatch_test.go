package dispatch_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1alpha1"
	"github.com/seed-c5f95f19/vela/pkg/cluster"
	"github.com/seed-c5f95f19/vela/pkg/delivery/dispatch"
	"github.com/seed-c5f95f19/vela/pkg/delivery/inventory"
	"github.com/seed-c5f95f19/vela/pkg/delivery/manifest"
	"github.com/seed-c5f95f19/vela/pkg/delivery/plan"
	"github.com/seed-c5f95f19/vela/pkg/fault"
	"github.com/seed-c5f95f19/vela/pkg/identity"
	"github.com/seed-c5f95f19/vela/pkg/test/env"
)

func (f *fixture) tenWithOneBad(value string, bad string) []manifest.Manifest {
	var out []manifest.Manifest
	for n := range 9 {
		out = append(out, f.configMap(fmt.Sprint("cm-", n), value))
	}
	return append(out, f.manifest(
		"apiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: %s}\nspec: {selector: {a: b}, ports: [{port: %s, targetPort: 80}]}", f.ns, bad))
}

func TestOneRefusedObjectOfTenStopsAll(t *testing.T) {
	t.Parallel()
	f := start(t, env.Namespace(t))
	_, err := f.deliver(f.tenWithOneBad("1", "99999")...)
	want := fmt.Sprintf(`component "web": local: Service %s/web: Service "web" is invalid: spec.ports[0].port: Invalid value: 99999: must be between 1 and 65535, inclusive`, f.ns)
	if err == nil || err.Error() != want {
		t.Errorf("error = %v\nwant    %s", err, want)
	}
	if diff := cmp.Diff([]string{}, live(t, f.ns)); diff != "" {
		t.Errorf("written (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{}, owned(t, f.owner)); diff != "" {
		t.Errorf("owned (-want +got):\n%s", diff)
	}
}

func TestOneRefusedChangeOfTenStopsAll(t *testing.T) {
	t.Parallel()
	f := start(t, env.Namespace(t))
	f.must(f.deliver(f.tenWithOneBad("1", "80")...))
	before := live(t, f.ns)
	_, err := f.deliver(f.tenWithOneBad("2", "99999")...)
	if err == nil || !strings.Contains(err.Error(), "must be between 1 and 65535") {
		t.Errorf("error = %v, want what the server said", err)
	}
	if diff := cmp.Diff(before, live(t, f.ns)); diff != "" {
		t.Errorf("written (-before +after):\n%s", diff)
	}
}

func TestMessagesOfServersShowNoSecrets(t *testing.T) {
	t.Parallel()
	f := start(t, env.Namespace(t))
	_, err := f.deliver(f.manifest(`apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: %s}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: nginx, env: [{name: TOKEN, value: hunter2, valueFrom: {fieldRef: {fieldPath: hunter2}}}]}]}`, f.ns))
	if err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("error = %v, want one without the secret", err)
	}
}

func TestPlansOfKindsAndNamespacesThatAreNotThereYet(t *testing.T) {
	t.Parallel()
	f := start(t, env.Namespace(t))
	group := strings.ReplaceAll(f.ns, "-", "") + ".example.com"
	thing := f.manifest("apiVersion: %s/v1\nkind: Thing\nmetadata: {name: t, namespace: %s-new}\nspec: {a: 1}", group, f.ns)
	inside := f.manifest("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: inside, namespace: %s-new}", f.ns)
	_, err := f.deliver(thing)
	want := fmt.Sprintf(`component "web": local: Thing.%s %s-new/t: the cluster has no kind Thing.%s`, group, f.ns, group)
	if err == nil || err.Error() != want {
		t.Errorf("error = %v\nwant    %s", err, want)
	}
	_, err = f.deliver(inside)
	if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("namespaces %q not found", f.ns+"-new")) {
		t.Errorf("error = %v, want the namespace named", err)
	}
	crd := f.manifest(`apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: things.%s}
spec:
  group: %s
  scope: Namespaced
  names: {plural: things, singular: thing, kind: Thing, listKind: ThingList}
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}]`, group, group)
	ns := f.manifest("apiVersion: v1\nkind: Namespace\nmetadata: {name: %s-new}", f.ns)
	changes, err := f.deliver(thing, inside, crd, ns)
	if err != nil {
		t.Fatal(err)
	}
	var order []string
	for _, c := range changes.Changes {
		order = append(order, c.Key.Kind)
	}
	if diff := cmp.Diff([]string{"Namespace", "CustomResourceDefinition", "ConfigMap", "Thing"}, order); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
	f.wire.take()
	f.must(f.deliver(thing, inside, crd, ns))
	if diff := cmp.Diff([]string(nil), f.wire.take()); diff != "" {
		t.Errorf("requests at rest (-want +got):\n%s", diff)
	}
}

func TestDriftIsRepaired(t *testing.T) {
	t.Parallel()
	f := start(t, env.Namespace(t))
	m := f.configMap("a", "1")
	f.must(f.deliver(m))
	cm := get(t, f.ns, "a")
	cm.Data = map[string]string{"k": "drift", "other": "of somebody else"}
	if err := env.Client(t).Update(t.Context(), cm); err != nil {
		t.Fatal(err)
	}
	f.settled(m, cm.ResourceVersion)
	f.must(f.deliver(m))
	want := map[string]string{"k": "1", "other": "of somebody else"}
	if diff := cmp.Diff(want, get(t, f.ns, "a").Data); diff != "" {
		t.Errorf("data (-want +got):\n%s", diff)
	}
	if err := env.Client(t).Delete(t.Context(), cm); err != nil {
		t.Fatal(err)
	}
	f.settled(m, "")
	f.must(f.deliver(m))
	get(t, f.ns, "a")
}

func TestFieldsThatAreNotWantedAnyMoreGo(t *testing.T) {
	t.Parallel()
	f := start(t, env.Namespace(t))
	const two = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: %s}\ndata: {k: '1', gone: x}"
	f.must(f.deliver(f.manifest(two, f.ns)))
	f.must(f.deliver(f.configMap("a", "1")))
	if diff := cmp.Diff(map[string]string{"k": "1"}, get(t, f.ns, "a").Data); diff != "" {
		t.Errorf("data (-want +got):\n%s", diff)
	}
}

func TestOwnershipOfOthersIsRespected(t *testing.T) {
	t.Parallel()
	f := start(t, env.Namespace(t))
	foreign := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{
		Namespace: f.ns, Name: "theirs", Labels: map[string]string{"app.oam.dev/name": "vault", "app.oam.dev/namespace": "bank"},
	}, Data: map[string]string{"k": "theirs"}}
	free := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: f.ns, Name: "free"}, Data: map[string]string{"k": "free", "x": "y"}}
	env.Create(t, foreign, free)

	_, err := f.deliver(f.configMap("theirs", "1"), f.configMap("free", "1"), f.configMap("new", "1"))
	const prefix = `component "web": local: ConfigMap %s/`
	want := fmt.Sprintf(prefix+`theirs: it belongs to Application "bank/vault"`+"\n"+
		prefix+`free: it exists and belongs to no Application; a take-over policy would adopt it`, f.ns, f.ns)
	if err == nil || err.Error() != want {
		t.Errorf("error = %v\nwant    %s", err, want)
	}
	if diff := cmp.Diff([]string{}, owned(t, f.owner)); diff != "" {
		t.Errorf("owned after the refusal (-want +got):\n%s", diff)
	}

	f.rules = plan.Rules{TakeOver: []v1alpha1.ResourceSelector{{ResourceNames: []string{"free"}}},
		Shared: []v1alpha1.ResourceSelector{{ResourceNames: []string{"theirs"}}}}
	p, err := f.plan(f.configMap("free", "1"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]plan.Change{{Path: "data.k", From: "free", To: "1"}}, p.Applies[0].Changes[:1]); diff != "" {
		t.Errorf("an adoption says what it changes (-want +got):\n%s", diff)
	}
	f.must(f.deliver(f.configMap("theirs", "1"), f.configMap("free", "1")))
	if diff := cmp.Diff(map[string]string{"k": "1", "x": "y"}, get(t, f.ns, "free").Data); diff != "" {
		t.Errorf("adopted data (-want +got):\n%s", diff)
	}
	shared := get(t, f.ns, "theirs")
	if shared.Data["k"] != "theirs" || shared.Annotations["app.oam.dev/shared-by"] != f.ns+"/store" {
		t.Errorf("the shared object has %v and annotations %v", shared.Data, shared.Annotations)
	}
	f.must(f.sweep(true))
	left := get(t, f.ns, "theirs")
	if _, ok := left.Annotations["app.oam.dev/shared-by"]; ok || left.Labels["app.oam.dev/name"] != "vault" {
		t.Errorf("after we left the shared object has %v, %v", left.Annotations, left.Labels)
	}
	if diff := cmp.Diff([]string{"theirs=theirs"}, live(t, f.ns)); diff != "" {
		t.Errorf("after the teardown (-want +got):\n%s", diff)
	}
}

func TestRulesAboutTheEndOfObjects(t *testing.T) {
	t.Parallel()
	f := start(t, env.Namespace(t))
	f.rules = plan.Rules{GarbageCollect: []v1alpha1.GarbageCollectRule{{
		Selector: v1alpha1.ResourceSelector{ResourceNames: []string{"kept"}}, Strategy: v1alpha1.GarbageCollectNever,
	}}}
	f.must(f.deliver(f.configMap("kept", "1"), f.configMap("gone", "1")))
	f.must(f.sweep(true))
	kept := get(t, f.ns, "kept")
	if len(kept.Labels) > 0 || len(kept.Annotations) > 0 || kept.Data["k"] != "1" {
		t.Errorf("the object that is given away has %v, %v, %v", kept.Labels, kept.Annotations, kept.Data)
	}
	if diff := cmp.Diff([]string{}, live(t, f.ns)); diff != "" {
		t.Errorf("what is left is not ours (-want +got):\n%s", diff)
	}
}

func TestRecreateAndReplace(t *testing.T) {
	t.Parallel()
	f := start(t, env.Namespace(t))
	const service = "apiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: %s}\nspec: {selector: {a: b}, clusterIP: %s, ports: [{port: 80}]}"
	f.must(f.deliver(f.manifest(service, f.ns, `""`), f.configMap("a", "1")))
	if _, err := f.deliver(f.manifest(service, f.ns, "None")); err == nil {
		t.Fatal("the server changes an immutable field")
	}
	selector := func(name string) v1alpha1.ResourceSelector {
		return v1alpha1.ResourceSelector{ResourceNames: []string{name}}
	}
	f.rules = plan.Rules{Update: []v1alpha1.ResourceUpdateRule{
		{Selector: selector("web"), Strategy: v1alpha1.ResourceUpdateStrategy{RecreateFields: []string{"spec.clusterIP"}}},
		{Selector: selector("a"), Strategy: v1alpha1.ResourceUpdateStrategy{Op: v1alpha1.ResourceUpdateReplace}},
	}}
	cm := get(t, f.ns, "a")
	cm.Data["other"] = "of somebody else"
	if err := env.Client(t).Update(t.Context(), cm); err != nil {
		t.Fatal(err)
	}
	f.settled(f.configMap("a", "1"), cm.ResourceVersion)
	f.must(f.deliver(f.manifest(service, f.ns, "None"), f.configMap("a", "2")))
	var svc corev1.Service
	if err := env.Client(t).Get(t.Context(), types.NamespacedName{Namespace: f.ns, Name: "web"}, &svc); err != nil {
		t.Fatal(err)
	}
	if svc.Spec.ClusterIP != "None" {
		t.Errorf("clusterIP = %q, want None", svc.Spec.ClusterIP)
	}
	if diff := cmp.Diff(map[string]string{"k": "2"}, get(t, f.ns, "a").Data); diff != "" {
		t.Errorf("replaced data (-want +got):\n%s", diff)
	}
}

func TestWritesActAsTheIdentityOfTheApplication(t *testing.T) {
	t.Parallel()
	f := start(t, env.Namespace(t))
	p, err := f.plan(f.configMap("a", "1"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.dispatcher.Execute(t.Context(), p, f.owner, identity.ServiceAccount(f.ns, "deployer"))
	if err == nil || !strings.Contains(err.Error(), "system:serviceaccount:"+f.ns+":deployer") || fault.Reason(err) != "Forbidden" {
		t.Errorf("error = %v, reason %q: want Forbidden for the service account", err, fault.Reason(err))
	}
	live, err := f.dispatcher.Gather(t.Context(), dispatch.GatherInput{
		Desired: []manifest.Manifest{f.configMap("b", "1")}, As: identity.ServiceAccount(f.ns, "deployer"),
	})
	if err != nil {
		t.Fatal(err)
	}
	refused := plan.Compute(plan.Input{Owner: f.owner, Desired: []manifest.Manifest{f.configMap("b", "1")}, Live: live}).Refusals
	if len(refused) != 1 || !strings.Contains(refused[0].Reason, "forbidden") {
		t.Errorf("refusals = %+v: want the probe to act as the identity", refused)
	}
}

func TestAClusterThatIsAwayDoesNotHoldUpOthers(t *testing.T) {
	t.Parallel()
	f := start(t, env.Namespace(t))
	env.Create(t, &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: f.ns, Name: "gone", Labels: map[string]string{
			"cluster.core.oam.dev/cluster-credential-type": cluster.CredentialToken,
		}},
		StringData: map[string]string{"endpoint": "https://127.0.0.1:1", "token": "t"},
	})
	here := f.configMap("a", "1")
	there := f.configMap("b", "1")
	there.Key.Cluster = "gone"
	nowhere := f.configMap("c", "1")
	nowhere.Key.Cluster = "never"
	got, err := f.dispatcher.Gather(t.Context(), dispatch.GatherInput{
		Desired: []manifest.Manifest{here, there}, Owned: []inventory.Entry{inventory.OfManifest(nowhere)},
	})
	if err != nil {
		t.Fatal(err)
	}
	if l := got[here.Key]; !l.Known {
		t.Errorf("the hub is unknown: %s", l.Reason)
	}
	if l := got[there.Key]; l.Known || !strings.Contains(l.Reason, `cluster "gone" cannot be reached since `) {
		t.Errorf("live state in the cluster that is away = %+v", l)
	}
	if l := got[nowhere.Key]; l.Known || !l.Detached {
		t.Errorf("live state in a cluster that never joined = %+v", l)
	}
}

// What `vela plan` prints without writing anything is what the controller does.
func TestAReadOnlyPlanIsTheSamePlan(t *testing.T) {
	t.Parallel()
	f := start(t, env.Namespace(t))
	f.must(f.deliver(f.configMap("a", "1")))
	desired := []manifest.Manifest{f.configMap("a", "2"), f.configMap("b", "1")}
	want, err := f.plan(desired...)
	if err != nil {
		t.Fatal(err)
	}
	r, err := cluster.NewRegistry(cluster.Options{Hub: env.Config(t), Namespace: f.ns})
	if err != nil {
		t.Fatal(err)
	}
	live, err := dispatch.New(r, nil).Gather(t.Context(), dispatch.GatherInput{Desired: desired, ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	got := plan.Compute(plan.Input{Owner: f.owner, Desired: desired, Live: live})
	if diff := cmp.Diff(want.Summary(), got.Summary()); diff != "" {
		t.Errorf("read-only plan (-controller +command):\n%s", diff)
	}
}

func TestDeploymentsWithDefaultsStayUnchangedForAStranger(t *testing.T) {
	t.Parallel()
	f := start(t, env.Namespace(t))
	m := f.manifest(`apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: %s}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: web
        image: nginx
        ports: [{containerPort: 80, protocol: TCP}]
        env: [{name: A, value: ""}, {name: B, valueFrom: {secretKeyRef: {name: s, key: k}}}]
        resources: {limits: {cpu: "0.5", memory: 1024Mi}, requests: {cpu: 500m}}
        livenessProbe: {httpGet: {path: /, port: 80}, initialDelaySeconds: 0}
      volumes: [{name: v, emptyDir: {}}]`, f.ns)
	f.must(f.deliver(m))
	again := start(t, f.ns)
	p, err := again.plan(m)
	if err != nil {
		t.Fatal(err)
	}
	if p.Writes() != 0 {
		data, _ := json.MarshalIndent(p.Applies[0].Changes, "", " ")
		t.Errorf("a restart writes %d objects: %s", p.Writes(), data)
	}
	var d appsv1.Deployment
	if err := env.Client(t).Get(t.Context(), types.NamespacedName{Namespace: f.ns, Name: "web"}, &d); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(m.Digest(), d.Annotations[plan.AnnotationAppliedDigest], cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("applied digest (-want +got):\n%s", diff)
	}
}
