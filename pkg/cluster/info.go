package cluster

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/seed-c5f95f19/vela/pkg/oam"
)

// Info describes one cluster to a user or a selector.
type Info struct {
	Name       string
	Alias      string
	Endpoint   string
	Credential string            // type; "Internal" for the hub
	Labels     map[string]string // that selectors look at
	Joined     time.Time
	Version    Version // zero when it was not asked yet

	// Away says since when and why the cluster cannot be reached.
	Away bool
	// Since is set when Away is.
	Since  time.Time
	Reason string // why it is away or cannot be used
}

// CredentialInternal is the type of the hub, which needs none.
const CredentialInternal = "Internal"

// List returns all clusters, the hub first, then by name. It asks no member.
func (r *Registry) List(ctx context.Context) ([]Info, error) {
	members, err := r.all(ctx)
	if err != nil {
		return nil, err
	}
	infos := []Info{r.hubInfo()}
	for _, m := range members {
		infos = append(infos, m.info())
	}
	return infos, nil
}

// Probe is List after asking every member whether it is there, at the same time.
func (r *Registry) Probe(ctx context.Context) ([]Info, error) {
	members, err := r.all(ctx)
	if err != nil {
		return nil, err
	}
	var wg sync.WaitGroup
	clusters := []*Cluster{r.hub}
	for _, m := range members {
		if m.cluster != nil {
			clusters = append(clusters, m.cluster)
		}
	}
	for _, c := range clusters {
		wg.Go(func() {
			_, _ = c.Probe(ctx) // what was learnt is in the state of the link
		})
	}
	wg.Wait()
	return r.List(ctx)
}

// all returns the members by name.
func (r *Registry) all(ctx context.Context) ([]*member, error) {
	r.mu.Lock()
	following := r.following()
	r.mu.Unlock()
	if !following {
		if err := r.read(ctx); err != nil {
			return nil, err
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	members := slices.Collect(maps.Values(r.members))
	slices.SortFunc(members, func(a, b *member) int { return cmp.Compare(a.secret.Name, b.secret.Name) })
	return members, nil
}

// read learns the members from a list of the Secrets.
func (r *Registry) read(ctx context.Context) error {
	items, err := r.hub.List(ctx, secretKind(), ListOptions{Namespace: r.namespace, Selector: oam.LabelClusterCredentialType})
	if err != nil {
		return fmt.Errorf("read clusters from namespace %q: %w", r.namespace, err)
	}
	found := map[string]bool{}
	for _, item := range items {
		secret, err := secretOf(&item)
		if err != nil {
			return err
		}
		found[secret.Name] = true
		r.know(secret)
	}
	r.mu.Lock()
	known := slices.Collect(maps.Keys(r.members))
	r.mu.Unlock()
	for _, name := range known {
		if !found[name] {
			r.forget(name)
		}
	}
	return nil
}

func (r *Registry) hubInfo() Info {
	info := Info{
		Name: Local, Endpoint: r.hub.config.Host, Credential: CredentialInternal,
		Labels: map[string]string{oam.LabelClusterControlPlane: "true"},
	}
	return r.hub.describe(info)
}

func (m *member) info() Info {
	info := describeSecret(m.secret)
	if m.cluster == nil {
		info.Reason = m.err.Error()
		return info
	}
	return m.cluster.describe(info)
}

func describeSecret(s *corev1.Secret) Info {
	return Info{
		Name:       s.Name,
		Alias:      s.Annotations[oam.AnnotationClusterAlias],
		Endpoint:   string(s.Data[keyEndpoint]),
		Credential: s.Labels[oam.LabelClusterCredentialType],
		Labels:     maps.Clone(s.Labels),
		Joined:     s.CreationTimestamp.Time,
	}
}

// describe adds what the connection knows.
func (c *Cluster) describe(info Info) Info {
	if away := c.link.state(); away != nil {
		info.Away, info.Since, info.Reason = true, away.Since, away.Reason
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.version != nil {
		info.Version = *c.version
	}
	return info
}
