#!/usr/bin/env bash
# Measures: the Go benchmarks of rendering, then the controller on an embedded
# hub of its own. Prints the rows of bench/RESULTS.md.
set -euo pipefail
cd "$(dirname "$0")/.."

hack/say.sh "benchmarks of rendering"
go test -count=1 -timeout 1h -run '^$' -bench "${RUN:-.}" -benchmem ./bench/...

data=$(mktemp -d)
trap 'bin/vela-local reset --data-dir "$data" >/dev/null 2>&1 || true; rm -rf "$data"' EXIT
hack/say.sh "a hub for the load"
bin/vela-local start --data-dir "$data" --nodes simulated --members ''
hack/say.sh "load: Applications, components, at rest"
go run ./bench/load -data-dir "$data" -runs "${LOAD:-apps:100,apps:500,components:10,components:100}" -rest "${REST:-5m}"
