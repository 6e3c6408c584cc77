// Package operate is how commands change a workflow that runs: read the
// progress from the status of the Application, let package workflow say what
// it becomes, and write it back only if nobody changed it meanwhile.
package operate

import (
	"context"
	"encoding/json"
	"fmt"

	authenticationv1 "k8s.io/api/authentication/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/util/retry"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
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
		progress, err := decode(before.Status.Workflow)
		if err != nil {
			return err
		}
		next, err := change(before.DeepCopy(), progress)
		if err != nil {
			return fmt.Errorf("application %s: %w", key, err)
		}
		after = before.DeepCopy()
		if after.Status.Workflow, err = encode(next, before.Status.Workflow); err != nil {
			return err
		}
		patch := client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})
		return c.Status().Patch(ctx, after, patch)
	})
	if err != nil && apierrors.IsConflict(err) {
		return nil, nil, fmt.Errorf("application %s changes too fast: %w", key, err)
	}
	return before, after, err
}

// decode reads the progress that the status shows.
func decode(status *v1beta1.WorkflowStatus) (workflow.Progress, error) {
	var progress workflow.Progress
	data, err := json.Marshal(status)
	if err == nil {
		err = json.Unmarshal(data, &progress)
	}
	if err != nil {
		return progress, fmt.Errorf("read status.workflow: %w", err)
	}
	return progress, nil
}

// encode writes progress; what it does not know stays as it was. A workflow
// that begins anew has no status.
func encode(progress workflow.Progress, before *v1beta1.WorkflowStatus) (*v1beta1.WorkflowStatus, error) {
	if progress.Mode == "" && len(progress.Steps) == 0 && progress.Phase == "" {
		return nil, nil
	}
	var status v1beta1.WorkflowStatus
	data, err := json.Marshal(progress)
	if err == nil {
		err = json.Unmarshal(data, &status)
	}
	if err != nil {
		return nil, fmt.Errorf("write status.workflow: %w", err)
	}
	status.AppRevision, status.ContextBackend = before.AppRevision, before.ContextBackend
	return &status, nil
}

// Whoami asks the server who the user is, "" when it does not say.
func Whoami(ctx context.Context, c client.Client) string {
	review := &authenticationv1.SelfSubjectReview{}
	if err := c.Create(ctx, review); err != nil {
		return ""
	}
	return review.Status.UserInfo.Username
}
