package dns

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/dns/dnsmessage"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	corelisters "k8s.io/client-go/listers/core/v1"
	discoverylisters "k8s.io/client-go/listers/discovery/v1"
	"k8s.io/client-go/tools/cache"
)

// Zone is the domain of the cluster's names.
const Zone = "cluster.local."

// Services knows the names of a cluster's Services from a watch.
type Services struct {
	services corelisters.ServiceLister
	slices   discoverylisters.EndpointSliceLister
}

// WatchServices returns once the Services are known, and keeps up with them
// until ctx is done.
func WatchServices(ctx context.Context, client kubernetes.Interface) (*Services, error) {
	f := informers.NewSharedInformerFactoryWithOptions(client, 0*time.Second)
	s := &Services{
		services: f.Core().V1().Services().Lister(),
		slices:   f.Discovery().V1().EndpointSlices().Lister(),
	}
	synced := []cache.InformerSynced{
		f.Core().V1().Services().Informer().HasSynced,
		f.Discovery().V1().EndpointSlices().Informer().HasSynced,
	}
	f.Start(ctx.Done())
	if !cache.WaitForCacheSync(ctx.Done(), synced...) {
		return nil, fmt.Errorf("watch Services: %w", ctx.Err())
	}
	return s, nil
}

// Lookup answers for NAME.NAMESPACE.svc.cluster.local, for a pod's HOST before
// it, and for _PORT._PROTOCOL before it.
func (s *Services) Lookup(q dnsmessage.Question) (answers []dnsmessage.Resource, known, ours bool) {
	name := strings.ToLower(q.Name.String())
	if name != Zone && !strings.HasSuffix(name, "."+Zone) {
		return nil, false, false
	}
	path := strings.Split(strings.TrimSuffix(name, "."+Zone), ".")
	slices.Reverse(path) // svc, NAMESPACE, NAME, then HOST or _PROTOCOL, _PORT
	if path[0] != "svc" || len(path) < 3 || len(path) > 5 {
		return nil, false, true
	}
	svc, err := s.services.Services(path[1]).Get(path[2])
	if err != nil {
		return nil, false, true
	}
	header := dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: dnsmessage.ClassINET, TTL: ttl}
	switch rest := path[3:]; len(rest) {
	case 0:
		return s.addresses(svc, q.Type, header)
	case 1:
		return records(s.hosts(svc)[rest[0]], q.Type, header), len(s.hosts(svc)[rest[0]]) > 0, true
	default:
		return s.ports(svc, strings.TrimPrefix(rest[1], "_"), strings.TrimPrefix(rest[0], "_"), q, header)
	}
}

func (s *Services) addresses(svc *corev1.Service, kind dnsmessage.Type, header dnsmessage.ResourceHeader) ([]dnsmessage.Resource, bool, bool) {
	switch {
	case svc.Spec.Type == corev1.ServiceTypeExternalName:
		target, err := dnsmessage.NewName(strings.TrimSuffix(svc.Spec.ExternalName, ".") + ".")
		if err != nil {
			return nil, false, true
		}
		header.Type = dnsmessage.TypeCNAME
		return []dnsmessage.Resource{{Header: header, Body: &dnsmessage.CNAMEResource{CNAME: target}}}, true, true
	case svc.Spec.ClusterIP == corev1.ClusterIPNone:
		var all []string
		for _, e := range s.endpoints(svc) {
			all = append(all, e.Addresses...)
		}
		slices.Sort(all)
		return records(slices.Compact(all), kind, header), true, true
	}
	return records(svc.Spec.ClusterIPs, kind, header), true, true
}

// ports answers for a named port: where the Service listens.
func (s *Services) ports(svc *corev1.Service, port, protocol string, q dnsmessage.Question, header dnsmessage.ResourceHeader) ([]dnsmessage.Resource, bool, bool) {
	for _, p := range svc.Spec.Ports {
		if p.Name != port || !strings.EqualFold(string(p.Protocol), protocol) {
			continue
		}
		if q.Type != dnsmessage.TypeSRV {
			return nil, true, true
		}
		target, err := dnsmessage.NewName(svc.Name + "." + svc.Namespace + ".svc." + Zone)
		if err != nil {
			return nil, false, true
		}
		body := &dnsmessage.SRVResource{Weight: 100, Port: uint16(p.Port), Target: target}
		return []dnsmessage.Resource{{Header: header, Body: body}}, true, true
	}
	return nil, false, true
}

// hosts are the addresses of a Service's pods by host name.
func (s *Services) hosts(svc *corev1.Service) map[string][]string {
	out := map[string][]string{}
	for _, e := range s.endpoints(svc) {
		if e.Hostname != nil {
			out[*e.Hostname] = append(out[*e.Hostname], e.Addresses...)
		}
	}
	return out
}

// endpoints are the pods behind a Service that may be named: the ready ones,
// or all of them when the Service says so.
func (s *Services) endpoints(svc *corev1.Service) []discoveryv1.Endpoint {
	of := labels.SelectorFromSet(labels.Set{discoveryv1.LabelServiceName: svc.Name})
	found, err := s.slices.EndpointSlices(svc.Namespace).List(of)
	if err != nil {
		return nil
	}
	var out []discoveryv1.Endpoint
	for _, slice := range found {
		for _, e := range slice.Endpoints {
			// No word about readiness counts as ready.
			if e.Conditions.Ready == nil || *e.Conditions.Ready || svc.Spec.PublishNotReadyAddresses {
				out = append(out, e)
			}
		}
	}
	return out
}

// records makes address records; there are none of the sixth version here.
func records(addresses []string, kind dnsmessage.Type, header dnsmessage.ResourceHeader) []dnsmessage.Resource {
	if kind != dnsmessage.TypeA && kind != dnsmessage.TypeALL {
		return nil
	}
	header.Type = dnsmessage.TypeA
	var out []dnsmessage.Resource
	for _, a := range addresses {
		ip, err := netip.ParseAddr(a)
		if err != nil || !ip.Is4() {
			continue
		}
		out = append(out, dnsmessage.Resource{Header: header, Body: &dnsmessage.AResource{A: ip.As4()}})
	}
	return out
}
