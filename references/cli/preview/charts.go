package preview

import (
	"net"

	providerhelm "github.com/seed-c5f95f19/vela/pkg/cue/provider/helm"
	"github.com/seed-c5f95f19/vela/pkg/helm"
)

// charts is where a preview has Helm charts from: paths below the working
// directory and absolute ones, and, unless it is offline, the network. Passwords
// that templates make up are those of the cluster for those who may read its
// seed.
func (p *Preview) charts() *helm.Store {
	o := helm.Options{Local: "."}
	if !p.from.Offline {
		o.Dial = (&net.Dialer{}).DialContext
	}
	if p.Client != nil {
		o.Seed = providerhelm.Seed(p.Client, nil)
	}
	return helm.NewStore(o)
}
