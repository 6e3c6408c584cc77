package inspect

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"

	"github.com/seed-c5f95f19/vela/pkg/cue/provider/query"
)

// logBytes bounds a log: it becomes a value of a template.
const logBytes = 1 << 20

// logTimeout bounds the reading of a log, which does not follow it.
const logTimeout = 30 * time.Second

// Log implements query.World. No more than a megabyte is read.
func (w World) Log(ctx context.Context, which query.Container) (query.Log, error) {
	c, err := w.Clusters.Get(ctx, which.Cluster)
	if err != nil {
		return query.Log{}, err
	}
	pod, err := c.Get(ctx, schema.GroupVersionKind{Version: "v1", Kind: "Pod"}, types.NamespacedName{Namespace: which.Namespace, Name: which.Pod})
	if err != nil {
		return query.Log{}, err
	}
	cfg := c.Config(w.As)
	cfg.NegotiatedSerializer = statusCodec()
	rc, err := rest.UnversionedRESTClientFor(cfg)
	if err != nil {
		return query.Log{}, fmt.Errorf("client of cluster %q: %w", which.Cluster, err)
	}
	ctx, cancel := context.WithTimeout(ctx, logTimeout)
	defer cancel()
	req := rc.Get().AbsPath("/api/v1/namespaces", which.Namespace, "pods", which.Pod, "log")
	stream, err := params(req, which.Options).Stream(ctx)
	if err != nil {
		return query.Log{}, err
	}
	defer stream.Close()
	text, err := io.ReadAll(io.LimitReader(stream, logBytes))
	if err != nil {
		return query.Log{}, fmt.Errorf("read the log: %w", err)
	}
	to := time.Now()
	return query.Log{Text: text, From: begin(which.Options, pod.GetCreationTimestamp().Time, to), To: to}, nil
}

// begin is when a log begins.
func begin(o query.LogOptions, created, to time.Time) time.Time {
	switch {
	case o.SinceTime != nil:
		return *o.SinceTime
	case o.SinceSeconds != nil:
		return to.Add(-time.Duration(*o.SinceSeconds) * time.Second)
	}
	return created
}

func params(req *rest.Request, o query.LogOptions) *rest.Request {
	req.Param("container", o.Container)
	if o.Previous {
		req.Param("previous", "true")
	}
	if o.Timestamps {
		req.Param("timestamps", "true")
	}
	if o.SinceTime != nil {
		req.Param("sinceTime", o.SinceTime.UTC().Format(time.RFC3339))
	}
	limit := int64(logBytes)
	if o.LimitBytes != nil {
		limit = min(limit, *o.LimitBytes)
	}
	for name, n := range map[string]*int64{"sinceSeconds": o.SinceSeconds, "tailLines": o.TailLines, "limitBytes": &limit} {
		if n != nil {
			req.Param(name, strconv.FormatInt(*n, 10))
		}
	}
	return req
}

// statusCodec decodes the status that an API server answers errors with.
func statusCodec() runtime.NegotiatedSerializer {
	scheme := runtime.NewScheme()
	metav1.AddToGroupVersion(scheme, schema.GroupVersion{Version: "v1"})
	return serializer.NewCodecFactory(scheme).WithoutConversion()
}
