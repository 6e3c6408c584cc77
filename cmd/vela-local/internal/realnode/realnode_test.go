package realnode

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/seed-c5f95f19/vela/cmd/vela-local/internal/controlplane"
	"github.com/seed-c5f95f19/vela/cmd/vela-local/internal/state"
)

// shout answers every line in capitals.
func shout(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				for lines := bufio.NewScanner(c); lines.Scan(); {
					fmt.Fprintln(c, strings.ToUpper(lines.Text()))
				}
			}()
		}
	}()
	return l
}

func TestForward(t *testing.T) {
	f, err := forward("127.0.0.1:0", shout(t).Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("tcp", f.listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	answers := bufio.NewReader(conn)
	for _, line := range []string{"one", "two"} {
		fmt.Fprintln(conn, line)
		got, err := answers.ReadString('\n')
		if want := strings.ToUpper(line) + "\n"; err != nil || got != want {
			t.Fatalf("answer = %q, %v, want %q", got, err, want)
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := answers.ReadString('\n'); err == nil {
		t.Error("the connection outlives the forwarder")
	}
	if _, err := net.Dial("tcp", f.listener.Addr().String()); err == nil {
		t.Error("a closed forwarder accepts")
	}
}

func TestForwardToNobodyEndsTheConnection(t *testing.T) {
	dead := shout(t)
	dead.Close()
	f, err := forward("127.0.0.1:0", dead.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	conn, err := net.Dial("tcp", f.listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Read(make([]byte, 1)); err == nil {
		t.Error("a connection to nobody stays open")
	}
}

func TestNamesFitTheKernel(t *testing.T) {
	long := state.Dir("/" + strings.Repeat("deep/", 60))
	n := Node{Owner: long, Cluster: controlplane.Cluster{Name: strings.Repeat("c", 40), Slot: 99}}
	if got := n.link() + "p"; len(got) > 15 {
		t.Errorf("interface name %q has %d characters, 15 fit", got, len(got))
	}
	for name, path := range map[string]string{
		"containerd": n.socket() + ".ttrpc",
		"kubelet":    n.state() + "/kubelet/device-plugins/kubelet.sock",
	} {
		if len(path) > 107 {
			t.Errorf("socket of %s, %s, has %d characters, 107 fit", name, path, len(path))
		}
	}
	near := Node{Owner: "/data", Cluster: controlplane.Cluster{Name: "hub"}}
	if got := near.state(); got != "/data/clusters/hub/node" {
		t.Errorf("state of a node = %s, want it in the data directory", got)
	}
}

func TestMountPathsAreUnescaped(t *testing.T) {
	if got := unescape(`/a\040b\134c`); got != `/a b\c` {
		t.Errorf("unescape() = %q", got)
	}
}
