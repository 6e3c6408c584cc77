package charts_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/seed-c5f95f19/vela/pkg/webhook"
)

// The chart registers what pkg/webhook answers, neither more nor less.
func TestWebhooksAreThoseThatAnswer(t *testing.T) {
	registration := webhook.Registration{
		Service: "vela-core-webhook", Namespace: "vela-system", Name: "vela-core-admission", Policy: admissionregistrationv1.Ignore,
	}
	validating, mutating := registration.Configurations(nil)
	for _, obj := range renderChart(t, "vela-system", nil) {
		switch obj.GetKind() {
		case "ValidatingWebhookConfiguration":
			got := &admissionregistrationv1.ValidatingWebhookConfiguration{}
			if err := runtime.DefaultUnstructuredConverter.FromUnstructured(obj.Object, got); err != nil {
				t.Fatal(err)
			}
			for i := range validating.Webhooks { // the API server fills them in
				validating.Webhooks[i].NamespaceSelector, validating.Webhooks[i].ObjectSelector = nil, nil
			}
			if diff := cmp.Diff(validating.Webhooks, got.Webhooks); diff != "" || got.Name != validating.Name {
				t.Errorf("%s (-answers +registered):\n%s", got.Name, diff)
			}
			validating = nil
		case "MutatingWebhookConfiguration":
			got := &admissionregistrationv1.MutatingWebhookConfiguration{}
			if err := runtime.DefaultUnstructuredConverter.FromUnstructured(obj.Object, got); err != nil {
				t.Fatal(err)
			}
			for i := range mutating.Webhooks {
				mutating.Webhooks[i].NamespaceSelector, mutating.Webhooks[i].ObjectSelector = nil, nil
			}
			if diff := cmp.Diff(mutating.Webhooks, got.Webhooks); diff != "" || got.Name != mutating.Name {
				t.Errorf("%s (-answers +registered):\n%s", got.Name, diff)
			}
			mutating = nil
		}
	}
	if validating != nil || mutating != nil {
		t.Error("the chart registers no webhooks")
	}
}
