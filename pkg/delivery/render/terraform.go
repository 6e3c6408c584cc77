package render

import (
	"cmp"
	"fmt"
	"maps"

	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/fault"
)

// Properties of a Terraform component that steer the Configuration; all others
// are variables of the module.
const (
	terraformSecret  = "writeConnectionSecretToRef"
	terraformRegion  = "customRegion"
	terraformGiver   = "providerRef"
	terraformForce   = "forceDelete"
	terraformGitCred = "gitCredentialsSecretReference"
)

// configuration renders a component whose definition is a Terraform module: a
// Configuration object for the Terraform controller.
func (j *job) configuration() (map[string]any, error) {
	u, tf := j.component, j.component.def.Terraform
	variables := maps.Clone(nonNil(u.properties))
	for _, k := range []string{terraformSecret, terraformRegion, terraformGiver, terraformForce, terraformGitCred} {
		delete(variables, k)
	}
	spec := map[string]any{"variable": variables}
	switch tf.Type {
	case v1beta1.TerraformRemote:
		spec["remote"] = tf.Configuration
	case v1beta1.TerraformHCL, "":
		spec["hcl"] = tf.Configuration
	default:
		return nil, fault.Because(v1beta1.ReasonInvalidDefinition,
			fmt.Errorf("%s: Terraform of type %q is not supported, only %q and %q", u.what, tf.Type, v1beta1.TerraformHCL, v1beta1.TerraformRemote),
			fault.At(u.origin.Sub("type").String()))
	}
	set(spec, "path", tf.Path)
	set(spec, "customRegion", tf.Region)
	if tf.DeleteResource != nil && !*tf.DeleteResource {
		spec["deleteResource"] = false
	}
	if p := tf.ProviderReference; p != nil {
		spec[terraformGiver] = reference(p.Name, p.Namespace)
	}
	if s := tf.WriteConnectionSecretToReference; s != nil {
		spec[terraformSecret] = reference(s.Name, cmp.Or(s.Namespace, j.req.Namespace))
	}
	if s := tf.GitCredentialsSecretReference; s != nil {
		spec[terraformGitCred] = reference(s.Name, s.Namespace)
	}
	for _, k := range []string{terraformRegion, terraformGiver, terraformForce, terraformGitCred} {
		if v, ok := u.properties[k]; ok {
			spec[k] = v
		}
	}
	if s, ok := u.properties[terraformSecret].(map[string]any); ok {
		name, _ := s["name"].(string)
		namespace, _ := s["namespace"].(string)
		spec[terraformSecret] = reference(name, cmp.Or(namespace, j.req.Namespace))
	}
	metadata := map[string]any{"name": j.req.Component.Name}
	if o, err := meta.Accessor(u.def.Object); u.def.Object != nil && err == nil && len(o.GetAnnotations()) > 0 {
		metadata["annotations"] = stringMap(o.GetAnnotations())
	}
	return map[string]any{
		"apiVersion": "terraform.core.oam.dev/v1beta2",
		"kind":       "Configuration",
		"metadata":   metadata,
		"spec":       spec,
	}, nil
}

func set(m map[string]any, key, value string) {
	if value != "" {
		m[key] = value
	}
}

func reference(name, namespace string) map[string]any {
	out := map[string]any{"name": name}
	set(out, "namespace", namespace)
	return out
}
