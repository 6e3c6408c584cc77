package completion_test

import (
	"strings"
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/seed-c5f95f19/vela/references/cli/clitest"
)

func TestCompletion(t *testing.T) {
	server := clitest.Server(t, "", interceptor.Funcs{})
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		stdout, _, exit := clitest.Command(t, server, "", "completion", shell)
		if exit != 0 || !strings.Contains(stdout, "vela") {
			t.Errorf("completion %s: exit code %d, %d bytes", shell, exit, len(stdout))
		}
	}
	if _, stderr, exit := clitest.Command(t, server, "", "completion", "cmd"); exit != 2 {
		t.Errorf("completion of an unknown shell: exit code %d, %s; want a wrong command line", exit, stderr)
	}
}

// Names of Applications are completed from the cluster.
func TestCompletesApplications(t *testing.T) {
	server := clitest.Server(t, "apiVersion: core.oam.dev/v1beta1\nkind: Application\nmetadata: {name: shop, namespace: default}\n", interceptor.Funcs{})
	stdout, _, _ := clitest.Command(t, server, "", "__complete", "status", "")
	if !strings.HasPrefix(stdout, "shop\n") {
		t.Errorf("completing vela status = %q, want shop first", stdout)
	}
}
