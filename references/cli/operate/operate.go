// Package operate is how commands change a workflow that runs: read the
// progress from the status of the Application, let package workflow say what
// it becomes, and write it back only if nobody changed it meanwhile.
package operate

import (
	"context"
	"fmt"

	authenticationv1 "k8s.io/api/authentication/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/util/retry"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/delivery/status"
	"github.com/seed-c5f95f19/vela/pkg/workflow"
	"github.com/seed-c5f95f19/vela/references/cli/connect"
)

// A Change says what the progress of app becomes. It is called again with what
// is there then when somebody else was faster.
type Change func(app *v1beta1.Application, progress workflow.Progress) (workflow.Progress, error)

// Apply changes the workflow of an Application and returns it as it was before
// and as it is now.
func Apply(ctx context.Context, c client.Client, key client.ObjectKey, change Change) (before, after *v1beta1.Application, err error) {
	err = retry.RetryOnConflict(retry.DefaultRetry, func() error {
		if before, err = connect.Application(ctx, c, key.Namespace, key.Name); err != nil {
			return err
		}
		if before.Status.Workflow == nil {
			return fmt.Errorf("the workflow of application %s has not begun", key)
		}
		next, err := change(before.DeepCopy(), status.ToProgress(before.Status.Workflow))
		if err != nil {
			return fmt.Errorf("application %s: %w", key, err)
		}
		after = before.DeepCopy()
		after.Status.Workflow = encode(next, before.Status.Workflow)
		patch := client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})
		return c.Status().Patch(ctx, after, patch)
	})
	if err != nil && apierrors.IsConflict(err) {
		return nil, nil, fmt.Errorf("application %s changes too fast: %w", key, err)
	}
	return before, after, err
}

// encode writes progress; what it does not know stays as it was. A workflow
// that begins anew has no status.
func encode(progress workflow.Progress, before *v1beta1.WorkflowStatus) *v1beta1.WorkflowStatus {
	if progress.Mode == "" && len(progress.Steps) == 0 && progress.Phase == "" {
		return nil
	}
	after := status.FromProgress(progress)
	after.AppRevision, after.ContextBackend = before.AppRevision, before.ContextBackend
	return after
}

// Whoami asks the server who the user is, "" when it does not say.
func Whoami(ctx context.Context, c client.Client) string {
	review := &authenticationv1.SelfSubjectReview{}
	if err := c.Create(ctx, review); err != nil {
		return ""
	}
	return review.Status.UserInfo.Username
}
