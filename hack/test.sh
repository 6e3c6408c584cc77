#!/usr/bin/env bash
# Writes the test events of the chosen packages as JSON, for gotestsum.
#   hack/test.sh all    both modules, everything
#   hack/test.sh unit   packages whose tests start no API server
set -uo pipefail
cd "$(dirname "$0")/.."

status=0
# -p 2: packages with an API server each need about 400 MB.
run() { (cd "$1" && shift && go test -json -timeout 30m -p "${TEST_PARALLEL:-2}" "$@") || status=1; }

case "${1:-all}" in
all)
	run . ./...
	run cmd/vela-local ./...
	;;
unit)
	needs='{{$p := .ImportPath}}{{$s := ""}}{{range .TestImports}}{{if eq . "github.com/seed-c5f95f19/vela/pkg/test/env"}}{{$s = "x"}}{{end}}{{end}}{{range .XTestImports}}{{if eq . "github.com/seed-c5f95f19/vela/pkg/test/env"}}{{$s = "x"}}{{end}}{{end}}{{if not $s}}{{$p}}{{end}}'
	mapfile -t packages < <(go list -f "$needs" ./... | grep -vE '/(e2e|bench)(/|$)|/pkg/test/env$')
	run . "${packages[@]}"
	;;
*)
	echo "usage: $0 all|unit" >&2
	exit 2
	;;
esac
exit $status
