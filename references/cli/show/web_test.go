package show_test

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/seed-c5f95f19/vela/references/cli/clitest"
	"github.com/seed-c5f95f19/vela/references/cli/connect"
	"github.com/seed-c5f95f19/vela/references/cli/console"
	"github.com/seed-c5f95f19/vela/references/cli/show"
)

// The page is served to a browser until the command is interrupted.
func TestWeb(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	said, stderr := io.Pipe()
	f := connect.New(console.Plain(strings.NewReader(""), io.Discard, stderr, clitest.Now()), func(string) string { return "" }, t.TempDir())
	cmd := show.NewCommand(f, nil)
	cmd.SetArgs([]string{"webservice", "--offline", "--web"})
	done := make(chan error, 1)
	go func() { done <- cmd.ExecuteContext(ctx) }()

	line, err := bufio.NewReader(said).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	url := regexp.MustCompile(`http://[\d.:]+`).FindString(line)
	resp, err := http.Get(url)
	if err != nil {
		t.Fatalf("%q: %v", line, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"<title>webservice</title>", "<code>imagePullPolicy</code>", "type: webservice"} {
		if !strings.Contains(string(body), want) {
			t.Errorf("the page has no %s", want)
		}
	}
	if policy := resp.Header.Get("Content-Security-Policy"); !strings.HasPrefix(policy, "default-src 'none'") {
		t.Errorf("the page may load from elsewhere: %q", policy)
	}
	cancel()
	if err := <-done; err != nil {
		t.Errorf("after the interrupt: %v", err)
	}
}
