#!/usr/bin/env bash
# Shows the local clusters and, when the hub answers, its Applications.
set -euo pipefail
if ! command -v vela-local >/dev/null; then
	echo "nothing is built: run \`make run\`"
	exit 0
fi
vela-local status
if kubeconfig=$(vela-local kubeconfig hub 2>/dev/null) && [ -r "$kubeconfig" ] && command -v vela >/dev/null; then
	KUBECONFIG=$kubeconfig vela ls --all-namespaces || true
fi
