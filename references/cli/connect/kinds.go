package connect

import (
	"fmt"
	"net/http"
	"strings"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"

	"github.com/seed-c5f95f19/vela/apis"
	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1alpha1"
	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
)

func addKinds(scheme *runtime.Scheme) {
	utilruntime.Must(apis.AddToScheme(scheme))
	utilruntime.Must(corev1.AddToScheme(scheme))
	utilruntime.Must(authenticationv1.AddToScheme(scheme))
}

// Mapper knows the kinds that commands use in any case, without a
// request to the server.
func Mapper() meta.RESTMapper {
	core := schema.GroupVersion{Version: "v1"}
	mapper := meta.NewDefaultRESTMapper([]schema.GroupVersion{v1beta1.GroupVersion, v1alpha1.GroupVersion, core})
	scheme := Scheme()
	for _, gv := range []schema.GroupVersion{v1beta1.GroupVersion, v1alpha1.GroupVersion} {
		for kind := range scheme.KnownTypes(gv) {
			if _, list := scheme.KnownTypes(gv)[kind+"List"]; !list {
				continue
			}
			scope := meta.RESTScopeNamespace
			if kind == v1beta1.ResourceTrackerKind {
				scope = meta.RESTScopeRoot
			}
			mapper.Add(gv.WithKind(kind), scope)
		}
	}
	mapper.Add(core.WithKind("Namespace"), meta.RESTScopeRoot)
	mapper.Add(authenticationv1.SchemeGroupVersion.WithKind("SelfSubjectReview"), meta.RESTScopeRoot)
	for _, kind := range []string{"Secret", "ConfigMap", "Service", "ServiceAccount"} {
		mapper.Add(core.WithKind(kind), meta.RESTScopeNamespace)
	}
	return mapper
}

func dynamicMapper(config *rest.Config, httpClient *http.Client) (meta.RESTMapper, error) {
	mapper, err := apiutil.NewDynamicRESTMapper(config, httpClient)
	if err != nil {
		return nil, fmt.Errorf("discover the kinds of %s: %w", config.Host, err)
	}
	return mapper, nil
}

// IsVela reports whether an object of kind is one of vela's own.
func IsVela(kind schema.GroupVersionKind) bool { return strings.HasSuffix(kind.Group, "oam.dev") }
