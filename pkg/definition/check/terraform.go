package check

import "github.com/seed-c5f95f19/vela/pkg/cue/schema"

// module describes the properties of a Terraform module as far as they are known
// without it: what steers the delivery. All others are variables of the module,
// which nobody has fetched here.
func module() *schema.Schema {
	text := func(description string) *schema.Schema {
		return &schema.Schema{Type: "string", Description: description}
	}
	reference := func(description string) *schema.Schema {
		return &schema.Schema{
			Type: "object", Description: description, Required: []string{"name"}, Order: []string{"name", "namespace"},
			Properties: map[string]*schema.Schema{"name": text("Name of the object"), "namespace": text("Namespace of the object")},
		}
	}
	return &schema.Schema{
		Type: "object", Open: true,
		Order: []string{"writeConnectionSecretToRef", "providerRef", "customRegion", "forceDelete", "gitCredentialsSecretReference"},
		Properties: map[string]*schema.Schema{
			"writeConnectionSecretToRef":    reference("Secret that receives the outputs of the module"),
			"providerRef":                   reference("Provider with the credentials of the cloud"),
			"customRegion":                  text("Region instead of that of the provider"),
			"forceDelete":                   {Type: "boolean", Description: "Delete although the cloud resource is not ready"},
			"gitCredentialsSecretReference": reference("Secret with the credentials for the repository of the module"),
		},
	}
}
