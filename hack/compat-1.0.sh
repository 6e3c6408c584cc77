#!/bin/sh
# bin/vela, but it dry-runs for Kubernetes 1.0; hack/compat.sh calls it.
vela="$(dirname "$0")/../bin/vela"
command=$1
shift
case $command in
dry-run) exec "$vela" dry-run --kube-version 1.0 "$@" ;;
*) exec "$vela" "$command" "$@" ;;
esac
