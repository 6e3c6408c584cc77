#!/usr/bin/env bash
# Measures: first single paths in this process, then the controller under load on
# clusters of its own with simulated nodes, which are gone afterwards.
#   RUN=regexp   benchmarks to run, "none" for none
#   LOAD=runs    what bench/load measures, empty for its default
set -euo pipefail
cd "$(dirname "$0")/.."

hack/say.sh "single paths"
go test -count=1 -run '^$' -bench "${RUN:-.}" -benchmem ./bench/

data=$(mktemp -d)
trap 'vela-local reset --data-dir "$data" >/dev/null; rm -rf "$data"' EXIT
hack/say.sh "the controller under load; rows of bench/RESULTS.md"
vela-local start --data-dir "$data" --nodes simulated
go run ./bench/load -vela-local "$VELA_LOCAL" -data-dir "$data" ${LOAD:+-runs "$LOAD"}
