package query

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
)

// A World knows Applications and what runs of them. What it returns may be
// shared: it is not modified. Answers are in the order of the question.
type World interface {
	// Owned returns what an Application owns. One that does not exist gives an
	// error of apierrors.
	Owned(ctx context.Context, app types.NamespacedName) ([]Resource, error)
	// Live returns the objects as their clusters have them, nil for one that is
	// absent.
	Live(ctx context.Context, of []Resource) ([]*unstructured.Unstructured, error)
	// Trees returns the objects with what hangs on them; an absent one gives a
	// Node without Object.
	Trees(ctx context.Context, of []Resource) ([]Node, error)
	// Endpoints returns how those that are Services or Ingresses are reached, from
	// outside first.
	Endpoints(ctx context.Context, of []Resource) ([]Endpoint, error)
	// Log reads the log of a container.
	Log(ctx context.Context, which Container) (Log, error)
}

// A Resource is one object that an Application owns.
type Resource struct {
	Cluster        string
	GVK            schema.GroupVersionKind
	Namespace      string
	Name           string
	UID            types.UID // "" when nobody has seen it yet
	Component      string
	Trait          string
	Revision       string // of the Application that is delivered
	PublishVersion string
	DeployVersion  string
}

// Health is what is known about a live object.
type Health string

// The values of Health, as KubeVela writes them.
const (
	Healthy     Health = "Healthy"
	Progressing Health = "Progressing"
	Unknown     Health = "UnKnown"
)

// A Node is a live object with what controllers made for it.
type Node struct {
	Object   *unstructured.Unstructured
	Health   Health
	Message  string
	Children []Node
}

// An Endpoint is one address at which an Application can be reached.
type Endpoint struct {
	Resource        Resource // the Service or Ingress behind it
	ResourceVersion string
	Protocol        string // TCP, UDP or SCTP
	AppProtocol     string // such as http; "" when nothing says it
	Host            string // "" when there is none yet
	Port            int64
	PortName        string
	Path            string
	Inner           bool // only inside its cluster
}

// A Container says whose log is wanted, and how much of it.
type Container struct {
	Cluster   string
	Namespace string
	Pod       string
	Options   LogOptions
}

// LogOptions bound a log. Nil and zero bound nothing.
type LogOptions struct {
	Container    string     `json:"container"`
	Previous     bool       `json:"previous"`
	SinceSeconds *int64     `json:"sinceSeconds"`
	SinceTime    *time.Time `json:"sinceTime"`
	Timestamps   bool       `json:"timestamps"`
	TailLines    *int64     `json:"tailLines"`
	LimitBytes   *int64     `json:"limitBytes"`
}

// A Log is what a container has written between two times.
type Log struct {
	Text     []byte
	From, To time.Time
}
