package dns

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/dns/dnsmessage"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"
)

func service(name string, spec corev1.ServiceSpec) *corev1.Service {
	return &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name}, Spec: spec}
}

func endpoint(ip, host string, ready bool) discoveryv1.Endpoint {
	e := discoveryv1.Endpoint{Addresses: []string{ip}, Conditions: discoveryv1.EndpointConditions{Ready: &ready}}
	if host != "" {
		e.Hostname = &host
	}
	return e
}

// cluster is a set of Services of every sort.
func cluster() *fake.Clientset {
	endpoints := &discoveryv1.EndpointSlice{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "db-1", Labels: map[string]string{discoveryv1.LabelServiceName: "db"}},
		Endpoints:  []discoveryv1.Endpoint{endpoint("10.1.0.2", "db-1", true), endpoint("10.1.0.1", "db-0", true), endpoint("10.1.0.3", "db-2", false)},
	}
	early := endpoints.DeepCopy()
	early.Name, early.Labels[discoveryv1.LabelServiceName] = "early-1", "early"
	return fake.NewClientset(
		service("web", corev1.ServiceSpec{
			ClusterIP: "10.0.0.5", ClusterIPs: []string{"10.0.0.5", "fd00::5"},
			Ports: []corev1.ServicePort{{Name: "http", Protocol: corev1.ProtocolTCP, Port: 80}},
		}),
		service("db", corev1.ServiceSpec{ClusterIP: corev1.ClusterIPNone}),
		service("early", corev1.ServiceSpec{ClusterIP: corev1.ClusterIPNone, PublishNotReadyAddresses: true}),
		service("away", corev1.ServiceSpec{Type: corev1.ServiceTypeExternalName, ExternalName: "example.com"}),
		endpoints, early,
	)
}

// start serves the cluster's names and returns a resolver that asks it. Other
// names are passed on to a server that knows only "elsewhere.test.".
func start(t *testing.T, over string) *net.Resolver {
	t.Helper()
	records, err := WatchServices(t.Context(), cluster())
	if err != nil {
		t.Fatal(err)
	}
	upstream := listen(t, NewServer(elsewhere{}, nil))
	address := listen(t, NewServer(records, []string{"127.0.0.1:1", upstream}))
	return &net.Resolver{
		PreferGo: true,
		Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, over, address)
		},
	}
}

func listen(t *testing.T, s *Server) string {
	t.Helper()
	streams, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	packets, err := net.ListenPacket("udp", streams.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, packets, streams) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return streams.Addr().String()
}

// elsewhere is the rest of the world.
type elsewhere struct{}

func (elsewhere) Lookup(q dnsmessage.Question) ([]dnsmessage.Resource, bool, bool) {
	if q.Name.String() != "elsewhere.test." {
		return nil, false, true
	}
	header := dnsmessage.ResourceHeader{Name: q.Name, Class: dnsmessage.ClassINET, TTL: 1}
	return records([]string{"192.0.2.7"}, q.Type, header), true, true
}

func TestAddresses(t *testing.T) {
	cases := map[string]struct {
		name string
		want []string // none means that the name does not exist
	}{
		"a Service has its cluster address":          {"web.shop.svc.cluster.local.", []string{"10.0.0.5"}},
		"names have no case":                         {"WEB.Shop.svc.cluster.local.", []string{"10.0.0.5"}},
		"a headless one has those of its ready pods": {"db.shop.svc.cluster.local.", []string{"10.1.0.1", "10.1.0.2"}},
		"or of all when it says so":                  {"early.shop.svc.cluster.local.", []string{"10.1.0.1", "10.1.0.2", "10.1.0.3"}},
		"a pod behind it has a name":                 {"db-1.db.shop.svc.cluster.local.", []string{"10.1.0.2"}},
		"a pod that is not there has none":           {"db-9.db.shop.svc.cluster.local.", nil},
		"a Service that is not there has none":       {"nobody.shop.svc.cluster.local.", nil},
		"nor has one of another namespace":           {"web.other.svc.cluster.local.", nil},
		"other names of the zone do not exist":       {"web.shop.pod.cluster.local.", nil},
		"the rest of the world is asked elsewhere":   {"elsewhere.test.", []string{"192.0.2.7"}},
		"and may not know either":                    {"nowhere.test.", nil},
	}
	for _, over := range []string{"udp", "tcp"} {
		resolver := start(t, over)
		for name, tc := range cases {
			t.Run(over+"/"+name, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
				defer cancel()
				ips, err := resolver.LookupIP(ctx, "ip4", tc.name)
				var got []string
				for _, ip := range ips {
					got = append(got, ip.String())
				}
				slices.Sort(got)
				if diff := cmp.Diff(tc.want, got); diff != "" {
					t.Errorf("addresses mismatch (-want +got):\n%s(%v)", diff, err)
				}
				var failure *net.DNSError
				if tc.want == nil && !(asDNS(err, &failure) && failure.IsNotFound) {
					t.Errorf("error = %v, want that there is no such name", err)
				}
			})
		}
	}
}

func asDNS(err error, target **net.DNSError) bool {
	e, ok := err.(*net.DNSError)
	*target = e
	return ok
}

func TestPortsAndAliases(t *testing.T) {
	resolver := start(t, "udp")
	_, srv, err := resolver.LookupSRV(t.Context(), "http", "tcp", "web.shop.svc.cluster.local")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]*net.SRV{{Target: "web.shop.svc.cluster.local.", Port: 80, Weight: 100}}, srv); diff != "" {
		t.Errorf("LookupSRV() mismatch (-want +got):\n%s", diff)
	}
	s, err := WatchServices(t.Context(), cluster())
	if err != nil {
		t.Fatal(err)
	}
	answers, known, ours := s.Lookup(dnsmessage.Question{Name: dnsmessage.MustNewName("away.shop.svc.cluster.local."), Type: dnsmessage.TypeA})
	if !known || !ours || len(answers) != 1 {
		t.Fatalf("Lookup() = %v, %t, %t", answers, known, ours)
	}
	alias, ok := answers[0].Body.(*dnsmessage.CNAMEResource)
	if !ok || alias.CNAME.String() != "example.com." {
		t.Errorf("an external name is %v, want an alias of example.com.", answers[0].Body)
	}
}

func TestLongAnswersAreFinishedOverTCP(t *testing.T) {
	s := NewServer(crowd{}, nil)
	question := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: 7},
		Questions: []dnsmessage.Question{{Name: dnsmessage.MustNewName("crowd."), Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET}},
	}
	packed, err := question.Pack()
	if err != nil {
		t.Fatal(err)
	}
	for network, want := range map[string]struct {
		truncated bool
		answers   int
	}{"udp": {true, 0}, "tcp": {false, 100}} {
		var reply dnsmessage.Message
		if err := reply.Unpack(s.answer(t.Context(), network, packed)); err != nil {
			t.Fatal(err)
		}
		if reply.Truncated != want.truncated || len(reply.Answers) != want.answers || reply.ID != 7 {
			t.Errorf("over %s: truncated %t with %d answers, want %+v", network, reply.Truncated, len(reply.Answers), want)
		}
	}
	if got := s.answer(t.Context(), "udp", []byte("nonsense")); got != nil {
		t.Errorf("answer to nonsense = %q", got)
	}
}

// crowd is a name with a hundred addresses.
type crowd struct{}

func (crowd) Lookup(q dnsmessage.Question) ([]dnsmessage.Resource, bool, bool) {
	all := slices.Repeat([]string{"10.0.0.1"}, 100)
	return records(all, q.Type, dnsmessage.ResourceHeader{Name: q.Name, Class: dnsmessage.ClassINET}), true, true
}

func TestNameservers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "resolv.conf")
	text := "# comment\nsearch example.com\nnameserver 127.0.0.53\nnameserver 192.0.2.1\nnameserver broken\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, ip := range nameservers(path) {
		got = append(got, ip.String())
	}
	if diff := cmp.Diff([]string{"127.0.0.53", "192.0.2.1"}, got); diff != "" {
		t.Errorf("nameservers() mismatch (-want +got):\n%s", diff)
	}
}
