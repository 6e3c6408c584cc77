#!/usr/bin/env bash
# Starts the local clusters and delivers examples/first-app up to its approval.
set -euo pipefail
cd "$(dirname "$0")/.."

hack/say.sh "start a hub and the members ${MEMBERS}"
vela local start --members "$MEMBERS" --nodes "$NODES"
KUBECONFIG=$(vela local kubeconfig hub)
export KUBECONFIG

hack/say.sh "deliver examples/first-app: staging first, then production waits for an approval"
vela up -f examples/first-app --wait-for=suspended

hack/say.sh "what production would get"
vela plan first-app

cat <<TEXT

Staging runs. Production waits for your approval of exactly this plan. Next:

  export PATH=$PWD/bin:\$PATH KUBECONFIG=$KUBECONFIG
  vela status first-app --tree        what runs where
  vela workflow resume first-app      approve; production follows
  vela delete first-app               take it away again
  make stop                           end the clusters (make run continues them)
TEXT
