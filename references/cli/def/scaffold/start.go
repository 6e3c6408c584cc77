package scaffold

// A start is what a new definition of a type begins with. It is valid and does
// something, so that it can be tried before it is changed.
type start struct{ imports, attributes, template string }

func starts() map[string]start {
	return map[string]start{"component": component(), "trait": trait(), "policy": policy(), "workflow-step": step()}
}

func component() start {
	return start{
		attributes: "workload: definition: {apiVersion: \"apps/v1\", kind: \"Deployment\"}\n",
		template: `	output: {
		apiVersion: "apps/v1"
		kind:       "Deployment"
		spec: {
			selector: matchLabels: "app.oam.dev/component": context.name
			template: {
				metadata: labels: "app.oam.dev/component": context.name
				spec: containers: [{
					name:  context.name
					image: parameter.image
				}]
			}
		}
	}
	// outputs: service: {...} adds another object

	parameter: {
		// +usage=Image of the container
		// +short=i
		image: string
	}
`,
	}
}

func trait() start {
	return start{
		attributes: "podDisruptive: true\nappliesToWorkloads: [\"deployments.apps\"]\n",
		template: `	// patch changes the workload; outputs adds objects of its own
	patch: spec: template: metadata: labels: {
		for k, v in parameter.labels {
			"\(k)": v
		}
	}

	parameter: {
		// +usage=Labels of the pods
		labels: [string]: string
	}
`,
	}
}

func policy() start {
	return start{
		template: `	// output and outputs are objects that come before the components
	output: {
		apiVersion: "v1"
		kind:       "ConfigMap"
		metadata: name: context.appName + "-" + context.name
		data: note: parameter.note
	}

	parameter: {
		// +usage=What to remember
		note: string
	}
`,
	}
}

func step() start {
	return start{
		imports: "import (\n\t\"vela/builtin\"\n\t\"vela/kube\"\n)\n\n",
		template: `	// the fields are done one after the other
	read: kube.#Read & {
		$params: value: {
			apiVersion: "v1"
			kind:       "ConfigMap"
			metadata: {
				name:      parameter.name
				namespace: context.namespace
			}
		}
	}
	wait: builtin.#ConditionalWait & {
		$params: continue: read.$returns.value.data != _|_
	}

	parameter: {
		// +usage=Name of the ConfigMap to wait for
		name: string
	}
`,
	}
}
