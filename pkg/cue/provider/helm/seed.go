package helm

import (
	"context"
	"crypto/rand"
	"fmt"
	"sync"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/seed-c5f95f19/vela/pkg/helm"
	"github.com/seed-c5f95f19/vela/pkg/oam"
)

// SeedSecret is the Secret in the system namespace that what charts make up
// (passwords, keys) is derived from. Whoever has it can derive them again; when
// it is lost, they change.
const SeedSecret = "vela-chart-seed"

const (
	seedKey   = "seed"
	seedBytes = 32
)

// Seed returns the seed of an installation. It is read when the first template
// needs it. With a writer it is created when it is not there; without one, and
// for those who may not read it, a preview has other values than the cluster.
func Seed(reader client.Reader, writer client.Writer) helm.Seed {
	s := &seed{reader: reader, writer: writer}
	return s.get
}

type seed struct {
	reader client.Reader
	writer client.Writer

	mu    sync.Mutex
	known []byte
}

func (s *seed) get(ctx context.Context) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known != nil {
		return s.known, nil
	}
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: oam.SystemNamespace, Name: SeedSecret}}
	err := s.reader.Get(ctx, client.ObjectKeyFromObject(secret), secret)
	switch {
	case s.writer == nil && (apierrors.IsNotFound(err) || apierrors.IsForbidden(err)):
		return nil, nil
	case apierrors.IsNotFound(err):
		if err = s.create(ctx, secret); apierrors.IsAlreadyExists(err) { // by another replica
			err = s.reader.Get(ctx, client.ObjectKeyFromObject(secret), secret)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("secret %s/%s: %w", secret.Namespace, secret.Name, err)
	}
	if len(secret.Data[seedKey]) < seedBytes {
		return nil, fmt.Errorf("secret %s/%s has no key %q of at least %d bytes", secret.Namespace, secret.Name, seedKey, seedBytes)
	}
	s.known = secret.Data[seedKey]
	return s.known, nil
}

func (s *seed) create(ctx context.Context, secret *corev1.Secret) error {
	fresh := make([]byte, seedBytes)
	if _, err := rand.Read(fresh); err != nil {
		return err
	}
	secret.Data = map[string][]byte{seedKey: fresh}
	return s.writer.Create(ctx, secret)
}
