// Package simnode is a simulated kubelet: one node on which pods become
// Running and Ready without running anything.
//
// It registers the node, renews its lease, gives every pod that is scheduled
// to it an address and the status a real kubelet would report, lets the pods
// of Jobs succeed after a moment, and honours deletion. It is driven by
// watches; between events it only renews the lease. Nothing is started,
// no image is looked at: a pod says otherwise through the annotation
// OutcomeAnnotation, for tests of what fails.
package simnode

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"time"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/workqueue"
)

// OutcomeAnnotation on a pod chooses how it fares; see the Outcome constants.
const OutcomeAnnotation = "local.vela.dev/outcome"

// Outcomes other than running well.
const (
	OutcomeUnready   = "unready"    // runs, never ready
	OutcomeNoImage   = "no-image"   // ImagePullBackOff
	OutcomeCrashLoop = "crash-loop" // CrashLoopBackOff
	OutcomeFailed    = "failed"     // ends with exit code 1
)

const (
	workers       = 4
	leaseSeconds  = 40
	renewEvery    = 10 * time.Second
	jobRuns       = time.Second
	refreshStatus = 5 * time.Minute
)

// A Node is one simulated node. Make one with New.
type Node struct {
	name     string
	address  string
	client   kubernetes.Interface
	listener net.Listener
	pods     cache.SharedIndexInformer
	queue    workqueue.TypedRateLimitingInterface[string]
	ips      *addresses
	now      func() time.Time
}

// Options describe a node.
type Options struct {
	Name    string
	Address string // the node's own, shown as its internal IP
	PodCIDR string
	Client  kubernetes.Interface
	// Listener, when there is one, answers what the API server asks a kubelet
	// for. It must verify certificates. Run closes it.
	Listener net.Listener
}

// New returns a node that is not registered yet.
func New(o Options) (*Node, error) {
	prefix, err := netip.ParsePrefix(o.PodCIDR)
	if err != nil {
		return nil, fmt.Errorf("pod addresses of node %q: %w", o.Name, err)
	}
	n := &Node{
		name:     o.Name,
		address:  o.Address,
		client:   o.Client,
		listener: o.Listener,
		ips:      newAddresses(prefix),
		now:      time.Now,
		queue:    workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[string]()),
	}
	n.pods = cache.NewSharedIndexInformer(n.scheduled(), &corev1.Pod{}, 0, cache.Indexers{})
	if err := n.pods.SetTransform(dropManagedFields); err != nil {
		return nil, fmt.Errorf("watch pods of node %q: %w", o.Name, err)
	}
	return n, nil
}

// scheduled lists and watches the pods of this node.
func (n *Node) scheduled() cache.ListerWatcher {
	onNode := fields.OneTermEqualSelector("spec.nodeName", n.name).String()
	pods := n.client.CoreV1().Pods(corev1.NamespaceAll)
	return cache.ToListWatcherWithWatchListSemantics(&cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
			o.FieldSelector = onNode
			return pods.List(ctx, o)
		},
		WatchFuncWithContext: func(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
			o.FieldSelector = onNode
			return pods.Watch(ctx, o)
		},
	}, n.client)
}

// dropManagedFields saves the memory of what a kubelet has no use for; an
// update without them keeps those of the server.
func dropManagedFields(obj any) (any, error) {
	if pod, ok := obj.(*corev1.Pod); ok {
		pod.ManagedFields = nil
	}
	return obj, nil
}

// Run registers the node, calls ready, and serves pods until ctx is done.
func (n *Node) Run(ctx context.Context, ready func() error) error {
	defer n.queue.ShutDown()
	if _, err := n.pods.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    n.enqueue,
		UpdateFunc: func(_, obj any) { n.enqueue(obj) },
		DeleteFunc: n.release,
	}); err != nil {
		return fmt.Errorf("watch pods of node %q: %w", n.name, err)
	}
	if err := n.register(ctx); err != nil {
		return fmt.Errorf("register node %q: %w", n.name, err)
	}
	go n.pods.RunWithContext(ctx)
	if !cache.WaitForCacheSync(ctx.Done(), n.pods.HasSynced) {
		return ctx.Err()
	}
	for _, obj := range n.pods.GetStore().List() {
		if pod, ok := obj.(*corev1.Pod); ok {
			n.ips.reserve(pod.Status.PodIP)
		}
	}
	for range workers {
		go n.work(ctx)
	}
	if err := ready(); err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return n.serve(ctx) })
	group.Go(func() error { return n.heartbeat(ctx) })
	return group.Wait()
}

func (n *Node) enqueue(obj any) {
	if key, err := cache.MetaNamespaceKeyFunc(obj); err == nil {
		n.queue.Add(key)
	}
}

// release returns the address of a pod that is gone.
func (n *Node) release(obj any) {
	if gone, ok := obj.(cache.DeletedFinalStateUnknown); ok {
		obj = gone.Obj
	}
	if pod, ok := obj.(*corev1.Pod); ok {
		n.ips.release(string(pod.UID), pod.Status.PodIP)
	}
}

func (n *Node) work(ctx context.Context) {
	for {
		key, quit := n.queue.Get()
		if quit {
			return
		}
		again, err := n.sync(ctx, key)
		switch {
		case err != nil && ctx.Err() == nil:
			n.queue.AddRateLimited(key)
		case again > 0:
			n.queue.Forget(key)
			n.queue.AddAfter(key, again)
		default:
			n.queue.Forget(key)
		}
		n.queue.Done(key)
	}
}

// sync brings one pod to the status it should have now and returns when to
// look again.
func (n *Node) sync(ctx context.Context, key string) (time.Duration, error) {
	obj, exists, err := n.pods.GetStore().GetByKey(key)
	if err != nil || !exists {
		return 0, err
	}
	pod, ok := obj.(*corev1.Pod)
	if !ok {
		return 0, nil
	}
	if pod.DeletionTimestamp != nil {
		return 0, n.remove(ctx, pod)
	}
	want, again := n.judge(pod)
	if want == nil {
		return again, nil
	}
	next := pod.DeepCopy()
	next.Status = *want
	_, err = n.client.CoreV1().Pods(pod.Namespace).UpdateStatus(ctx, next, metav1.UpdateOptions{})
	if apierrors.IsConflict(err) || apierrors.IsNotFound(err) {
		return again, nil // the watch brings the newer pod
	}
	return again, err
}

// remove confirms that a deleted pod's containers have stopped.
func (n *Node) remove(ctx context.Context, pod *corev1.Pod) error {
	now := int64(0)
	err := n.client.CoreV1().Pods(pod.Namespace).Delete(ctx, pod.Name, metav1.DeleteOptions{
		GracePeriodSeconds: &now,
		Preconditions:      metav1.NewUIDPreconditions(string(pod.UID)),
	})
	if apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
		return nil
	}
	return err
}
