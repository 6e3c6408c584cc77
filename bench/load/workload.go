package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/seed-c5f95f19/vela/apis"
	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
)

const namespace = "bench"

type load struct {
	hub     client.WithWatch
	pid     int
	metrics string
}

// newLoad asks vela-local where the hub and vela-core are.
func newLoad(ctx context.Context, binary, dataDir string) (*load, error) {
	args := []string{"status", "-o", "json"}
	if dataDir != "" {
		args = append(args, "--data-dir", dataDir)
	}
	out, err := exec.CommandContext(ctx, binary, args...).Output()
	if err != nil {
		return nil, fmt.Errorf("%s status: %w", binary, err)
	}
	var st struct {
		Clusters  []struct{ Name, Kubeconfig string }
		Processes []struct {
			Name           string
			PID            int
			MetricsAddress string
		}
	}
	if err := json.Unmarshal(out, &st); err != nil {
		return nil, fmt.Errorf("%s status -o json: %w", binary, err)
	}
	l := &load{}
	for _, p := range st.Processes {
		if p.Name == "vela-core" {
			l.pid, l.metrics = p.PID, p.MetricsAddress
		}
	}
	if l.pid == 0 {
		return nil, fmt.Errorf("vela-core does not run: start it with `%s start`", binary)
	}
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, apis.AddToScheme} {
		if err := add(scheme); err != nil {
			return nil, err
		}
	}
	cfg, err := clientcmd.BuildConfigFromFlags("", st.Clusters[0].Kubeconfig)
	if err != nil {
		return nil, err
	}
	cfg.QPS = -1
	if l.hub, err = client.NewWithWatch(cfg, client.Options{Scheme: scheme}); err != nil {
		return nil, err
	}
	err = l.hub.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}})
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return nil, err
	}
	return l, nil
}

// application is workload A of the baseline, once for each component.
func application(name string, components, replicas int) *v1beta1.Application {
	app := &v1beta1.Application{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: namespace}}
	for i := range components {
		c := name
		if components > 1 {
			c = fmt.Sprintf("%s-%d", name, i)
		}
		app.Spec.Components = append(app.Spec.Components, v1beta1.ApplicationComponent{
			Name: c, Type: "webservice",
			Properties: raw(`{"image":"docker.io/vela/hello:1.0","ports":[{"port":8080}],"env":[{"name":"GREETING","value":"hi"}]}`),
			Traits: []v1beta1.ApplicationTrait{
				{Type: "scaler", Properties: raw(fmt.Sprintf(`{"replicas":%d}`, replicas))},
				{Type: "gateway", Properties: raw(fmt.Sprintf(`{"domain":"%s.example.com","http":{"/":8080}}`, c))},
			},
		})
	}
	return app
}

func raw(s string) *runtime.RawExtension { return &runtime.RawExtension{Raw: []byte(s)} }

// applications measures N Applications: deliver, rest, change one parameter, delete.
func (l *load) applications(ctx context.Context, n int, rest time.Duration) error {
	each := func(do func(i int, app *v1beta1.Application) error, replicas int) error {
		for i := range n {
			if err := do(i, application(fmt.Sprintf("app-%04d", i), 1, replicas)); err != nil {
				return err
			}
		}
		return nil
	}
	err := l.measure(ctx, "deliver", n, func() error {
		return l.until(ctx, n, running, func() error {
			return each(func(_ int, app *v1beta1.Application) error { return l.hub.Create(ctx, app) }, 1)
		})
	})
	if err != nil {
		return err
	}
	if err := l.stored(ctx, n); err != nil {
		return err
	}
	if rest > 0 {
		err := l.measure(ctx, fmt.Sprintf("%s at rest", rest), n, func() error { return sleep(ctx, rest) })
		if err != nil {
			return err
		}
	}
	err = l.measure(ctx, "change one parameter", n, func() error {
		return l.until(ctx, n, running, func() error {
			return each(func(_ int, app *v1beta1.Application) error { return l.replace(ctx, app) }, 2)
		})
	})
	if err != nil {
		return err
	}
	return l.measure(ctx, "delete", n, func() error {
		return l.until(ctx, n, gone, func() error {
			return each(func(_ int, app *v1beta1.Application) error { return l.hub.Delete(ctx, app) }, 1)
		})
	})
}

// components measures one Application of n components and a change of one.
func (l *load) components(ctx context.Context, n int) error {
	app := application("wide", n, 1)
	err := l.measure(ctx, "one Application, components", n, func() error {
		return l.until(ctx, 1, running, func() error { return l.hub.Create(ctx, app.DeepCopy()) })
	})
	if err != nil {
		return err
	}
	app.Spec.Components[0].Traits[0].Properties = raw(`{"replicas":2}`)
	err = l.measure(ctx, fmt.Sprintf("change 1 of %d components", n), 1, func() error {
		return l.until(ctx, 1, running, func() error { return l.replace(ctx, app.DeepCopy()) })
	})
	if err != nil {
		return err
	}
	return l.measure(ctx, "delete it", n, func() error {
		return l.until(ctx, 1, gone, func() error { return l.hub.Delete(ctx, app.DeepCopy()) })
	})
}

// replace writes a new specification over the stored one.
func (l *load) replace(ctx context.Context, app *v1beta1.Application) error {
	patch, err := json.Marshal(map[string]any{"spec": app.Spec})
	if err != nil {
		return err
	}
	return l.hub.Patch(ctx, app, client.RawPatch("application/merge-patch+json", patch))
}

// An outcome says whether an Application has got there; nil means it is gone.
type outcome func(app *v1beta1.Application) bool

func running(app *v1beta1.Application) bool {
	return app != nil && app.Status.ObservedGeneration == app.Generation && app.Status.Phase == v1beta1.ApplicationRunning
}

func gone(app *v1beta1.Application) bool { return app == nil }

// until watches the Applications, does the work and returns when n of them
// have the outcome.
func (l *load) until(ctx context.Context, n int, done outcome, work func() error) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Minute)
	defer cancel()
	w, err := l.hub.Watch(ctx, &v1beta1.ApplicationList{}, client.InNamespace(namespace))
	if err != nil {
		return err
	}
	defer w.Stop()
	var wg sync.WaitGroup
	var failed error
	started := make(chan struct{})
	wg.Go(func() { defer close(started); failed = work() })
	have, worked := map[string]bool{}, false
	for !worked || len(have) < n {
		select {
		case <-ctx.Done():
			return fmt.Errorf("%d of %d Applications got there: %w", len(have), n, ctx.Err())
		case <-started:
			worked, started = true, nil
			have = map[string]bool{}
			if err := l.recount(ctx, done, have, n); err != nil {
				return err
			}
		case e, ok := <-w.ResultChan():
			if !ok {
				return fmt.Errorf("the API server closed the watch")
			}
			app, ok := e.Object.(*v1beta1.Application)
			if !ok {
				return apierrors.FromObject(e.Object)
			}
			state := app
			if e.Type == "DELETED" {
				state = nil
			}
			if done(state) {
				have[app.Name] = true
			} else {
				delete(have, app.Name)
			}
		}
	}
	wg.Wait()
	return failed
}

// recount looks at every Application once, after all work was sent.
func (l *load) recount(ctx context.Context, done outcome, have map[string]bool, n int) error {
	list := &v1beta1.ApplicationList{}
	if err := l.hub.List(ctx, list, client.InNamespace(namespace)); err != nil {
		return err
	}
	if done(nil) {
		for i := range n - len(list.Items) {
			have[fmt.Sprintf("gone-%d", i)] = true
		}
	}
	for i := range list.Items {
		if done(&list.Items[i]) {
			have[list.Items[i].Name] = true
		}
	}
	return nil
}

// stored prints how many objects and bytes vela keeps on the hub per Application.
func (l *load) stored(ctx context.Context, n int) error {
	lists := []client.ObjectList{&v1beta1.ApplicationList{}, &v1beta1.ApplicationRevisionList{}, &v1beta1.ResourceTrackerList{}, &corev1.ConfigMapList{}}
	for _, list := range lists {
		if err := l.hub.List(ctx, list, client.InNamespace(namespace)); err != nil {
			return err
		}
		data, err := json.Marshal(list)
		if err != nil {
			return err
		}
		fmt.Printf("| stored %T | %d | | | %d bytes | %.0f bytes | | | | |\n", list, n, len(data), float64(len(data))/float64(n))
	}
	return nil
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
