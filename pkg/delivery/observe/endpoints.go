package observe

import (
	"cmp"
	"fmt"
	"net"
	"slices"
	"strconv"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/seed-c5f95f19/vela/pkg/delivery/manifest"
)

// An Endpoint is one address at which a component can be reached.
type Endpoint struct {
	Object    manifest.Key // the Service or Ingress behind it
	Component string
	Protocol  string // http, https, tcp, udp or sctp
	Host      string // name or address; "" when there is none yet
	Port      int64
	PortName  string
	Path      string
	Inner     bool // only inside the cluster
}

// String writes the endpoint as a URL.
func (e Endpoint) String() string {
	host := cmp.Or(e.Host, "<no address yet>")
	if (e.Protocol == "http" && e.Port == 80) || (e.Protocol == "https" && e.Port == 443) {
		return fmt.Sprintf("%s://%s%s", e.Protocol, host, e.Path)
	}
	return fmt.Sprintf("%s://%s%s", e.Protocol, net.JoinHostPort(host, strconv.FormatInt(e.Port, 10)), e.Path)
}

// Endpoints returns how the Services and Ingresses among objects can be
// reached, those from outside first.
func Endpoints(objects []Object) []Endpoint {
	var out []Endpoint
	for _, o := range objects {
		if o.Live == nil {
			continue
		}
		var found []Endpoint
		switch o.Manifest.Key.Group + "/" + o.Manifest.Key.Kind {
		case "/Service":
			found = serviceEndpoints(o.Live)
		case "networking.k8s.io/Ingress":
			found = ingressEndpoints(o.Live)
		}
		for _, e := range found {
			e.Object, e.Component = o.Manifest.Key, o.Manifest.Component
			out = append(out, e)
		}
	}
	slices.SortStableFunc(out, func(a, b Endpoint) int { return compareBool(a.Inner, b.Inner) })
	return out
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

func serviceEndpoints(svc *unstructured.Unstructured) []Endpoint {
	spec, _ := svc.Object["spec"].(map[string]any)
	e := Endpoint{Host: svc.GetName() + "." + svc.GetNamespace(), Inner: true}
	kind, _ := spec["type"].(string)
	switch kind {
	case "LoadBalancer":
		e.Host, e.Inner = address(svc), false
	case "ExternalName":
		e.Host, _ = spec["externalName"].(string)
		e.Inner = false
	}
	var out []Endpoint
	for _, p := range list(spec["ports"]) {
		e := e
		e.Port, _ = p["port"].(int64)
		e.PortName, _ = p["name"].(string)
		e.Protocol = protocol(p)
		out = append(out, e)
	}
	return out
}

// protocol is that of the application when the port says it.
func protocol(port map[string]any) string {
	app, _ := port["appProtocol"].(string)
	transport, _ := port["protocol"].(string)
	switch {
	case app == "http" || app == "https":
		return app
	case transport == "UDP":
		return "udp"
	case transport == "SCTP":
		return "sctp"
	}
	return "tcp"
}

func ingressEndpoints(ing *unstructured.Unstructured) []Endpoint {
	spec, _ := ing.Object["spec"].(map[string]any)
	secure := map[any]bool{}
	for _, tls := range list(spec["tls"]) {
		hosts, _ := tls["hosts"].([]any)
		for _, h := range hosts {
			secure[h] = true
		}
	}
	var out []Endpoint
	for _, rule := range list(spec["rules"]) {
		host, _ := rule["host"].(string)
		e := Endpoint{Protocol: "http", Port: 80, Host: cmp.Or(host, address(ing))}
		if secure[rule["host"]] {
			e.Protocol, e.Port = "https", 443
		}
		http, _ := rule["http"].(map[string]any)
		for _, p := range list(http["paths"]) {
			e := e
			e.Path, _ = p["path"].(string)
			out = append(out, e)
		}
	}
	return out
}

// address is the first address that a load balancer gave.
func address(o *unstructured.Unstructured) string {
	items, _, _ := unstructured.NestedFieldNoCopy(o.Object, "status", "loadBalancer", "ingress")
	for _, i := range list(items) {
		ip, _ := i["ip"].(string)
		name, _ := i["hostname"].(string)
		if a := cmp.Or(ip, name); a != "" {
			return a
		}
	}
	return ""
}

// list returns the objects in a list.
func list(v any) []map[string]any {
	items, _ := v.([]any)
	var out []map[string]any
	for _, i := range items {
		if m, ok := i.(map[string]any); ok {
			out = append(out, m)
		}
	}
	return out
}
