#!/usr/bin/env bash
# Scores bin/vela against KubeVela's cases: as it is, and with the version of
# Kubernetes that KubeVela's dry run renders for (it asks no cluster and takes
# minor version 0, see docs/compatibility.md), so that both get equal input.
set -euo pipefail
cd "$(dirname "$0")/.."

only=()
[ "${RUN:-.}" = . ] || only=(--only "$RUN" -v)
echo "Kubernetes of today:"
"$COMPAT/run" --vela bin/vela "${only[@]}"
echo "Kubernetes 1.0, as KubeVela's dry run:"
"$COMPAT/run" --vela hack/compat-1.0.sh "${only[@]}"
