#!/usr/bin/env bash
# Starts the local clusters and delivers examples/first-app up to its approval.
set -euo pipefail
cd "$(dirname "$0")/.."

hack/say.sh "start a hub and the members staging and production"
vela local start --nodes "$NODES"
KUBECONFIG=$(vela local kubeconfig hub)
export KUBECONFIG

hack/say.sh "deliver examples/first-app: staging first, then production waits for an approval"
vela up -f examples/first-app --wait-for=suspended

# answers asks the pods of clusters over HTTP; simulated ones have nothing to say.
answers() {
	vela local status -o json | grep -q '"mode": "real"' || return 0
	for cluster in "$@"; do
		printf '%s: ' "$cluster"
		go run ./hack/answer -kubeconfig "$(vela local kubeconfig "$cluster")" default/hello
	done
}

next() {
	cat <<TEXT

$1 Next:

  export PATH=$PWD/bin:\$PATH KUBECONFIG=$KUBECONFIG
  vela status first-app --tree        what runs where
$2
  vela delete first-app               take it away again
  make stop                           end the clusters; make run continues them
TEXT
}

if vela status first-app -o json | grep -q '"status": "workflowSuspending"'; then
	hack/say.sh "what production would get"
	vela plan first-app
	answers staging
	next "Staging runs. Production waits for your approval of exactly this plan." \
		"  vela workflow resume first-app      approve; production follows"
else
	answers staging production
	next "first-app is delivered." \
		"  vela live-diff first-app            what differs from what is wanted: nothing"
fi
