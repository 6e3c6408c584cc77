package webhook

import (
	"strings"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
)

// timeout is how long the API server waits for an answer.
const timeout int32 = 10

// A hook is one address that the API server asks.
type hook struct {
	name, path, resource string
	mutating             bool
}

// hooks are all of them, under KubeVela's names and paths.
func hooks() []hook {
	out := []hook{{
		name: "mutating.core.oam.dev.v1beta1.applications", path: "/mutating-core-oam-dev-v1beta1-applications",
		resource: "applications", mutating: true,
	}}
	for _, resource := range []string{"applications", "componentdefinitions", "traitdefinitions", "policydefinitions", "workflowstepdefinitions"} {
		out = append(out, hook{
			name:     "validating.core.oam.dev.v1beta1." + resource,
			path:     "/validating-core-oam-dev-v1beta1-" + resource,
			resource: resource,
		})
	}
	return out
}

// changes lets only those requests through that change what is judged: finalizers,
// labels and what the controllers write need no answer.
func changes() []admissionregistrationv1.MatchCondition {
	return []admissionregistrationv1.MatchCondition{
		{Name: "lives", Expression: "!has(object.metadata.deletionTimestamp)"},
		{Name: "changes", Expression: strings.Join([]string{
			"oldObject == null",
			"object.spec != oldObject.spec",
			"has(object.metadata.annotations) != has(oldObject.metadata.annotations)",
			"(has(object.metadata.annotations) && object.metadata.annotations != oldObject.metadata.annotations)",
		}, " || ")},
	}
}

func (h hook) rules() []admissionregistrationv1.RuleWithOperations {
	scope := admissionregistrationv1.NamespacedScope
	return []admissionregistrationv1.RuleWithOperations{{
		Operations: []admissionregistrationv1.OperationType{admissionregistrationv1.Create, admissionregistrationv1.Update},
		Rule: admissionregistrationv1.Rule{
			APIGroups: []string{v1beta1.Group}, APIVersions: []string{v1beta1.Version}, Resources: []string{h.resource}, Scope: &scope,
		},
	}}
}

func (r Registration) client(h hook, bundle []byte) admissionregistrationv1.WebhookClientConfig {
	if r.URL != "" {
		address := strings.TrimSuffix(r.URL, "/") + h.path
		return admissionregistrationv1.WebhookClientConfig{URL: &address, CABundle: bundle}
	}
	path, port := h.path, int32(443)
	return admissionregistrationv1.WebhookClientConfig{
		Service:  &admissionregistrationv1.ServiceReference{Namespace: r.Namespace, Name: r.Service, Path: &path, Port: &port},
		CABundle: bundle,
	}
}

// Configurations are what registers all webhooks.
func (r Registration) Configurations(bundle []byte) (*admissionregistrationv1.ValidatingWebhookConfiguration, *admissionregistrationv1.MutatingWebhookConfiguration) {
	none, equivalent, wait := admissionregistrationv1.SideEffectClassNone, admissionregistrationv1.Equivalent, timeout
	policy, never := r.Policy, admissionregistrationv1.NeverReinvocationPolicy
	meta := metav1.ObjectMeta{Name: r.Name, Labels: map[string]string{"app.kubernetes.io/name": "vela-core"}}
	validating := &admissionregistrationv1.ValidatingWebhookConfiguration{ObjectMeta: *meta.DeepCopy()}
	mutating := &admissionregistrationv1.MutatingWebhookConfiguration{ObjectMeta: *meta.DeepCopy()}
	for _, h := range hooks() {
		if h.mutating {
			mutating.Webhooks = append(mutating.Webhooks, admissionregistrationv1.MutatingWebhook{
				Name: h.name, ClientConfig: r.client(h, bundle), Rules: h.rules(), FailurePolicy: &policy, MatchPolicy: &equivalent, ReinvocationPolicy: &never,
				SideEffects: &none, TimeoutSeconds: &wait, NamespaceSelector: everything(), ObjectSelector: everything(), AdmissionReviewVersions: []string{"v1"}, MatchConditions: changes(),
			})
			continue
		}
		validating.Webhooks = append(validating.Webhooks, admissionregistrationv1.ValidatingWebhook{
			Name: h.name, ClientConfig: r.client(h, bundle), Rules: h.rules(), FailurePolicy: &policy, MatchPolicy: &equivalent,
			SideEffects: &none, TimeoutSeconds: &wait, NamespaceSelector: everything(), ObjectSelector: everything(), AdmissionReviewVersions: []string{"v1"}, MatchConditions: changes(),
		})
	}
	return validating, mutating
}

func everything() *metav1.LabelSelector { return &metav1.LabelSelector{} }
