package up

import (
	"context"
	"errors"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/seed-c5f95f19/vela/pkg/fault"
	"github.com/seed-c5f95f19/vela/references/cli/preview"
)

// verify resolves the Applications as the control plane will, so that a mistake
// is shown at its line of the file before anything is applied. What only the
// control plane may read is left to it.
func (o *Options) verify(ctx context.Context) error {
	p, err := preview.New(preview.Options{Factory: o.Factory, Documents: o.docs, Namespace: o.Namespace, Strict: o.Strict})
	if err != nil {
		return err
	}
	var mistakes []error
	for _, app := range p.Apps {
		b, err := p.Blueprint(ctx, app)
		if err == nil {
			for _, warning := range b.Warnings {
				o.Factory.Warn(warning)
			}
			continue
		}
		for _, mistake := range fault.List(err) {
			if apierrors.IsForbidden(mistake) {
				o.Factory.IO.Warnf("not checked before applying: %v", mistake)
				continue
			}
			mistakes = append(mistakes, mistake)
		}
	}
	return errors.Join(mistakes...)
}
