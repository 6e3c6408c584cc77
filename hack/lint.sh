#!/usr/bin/env bash
# Runs the linters, all of them built from the source pinned in hack/tools.
# Every exclusion is here, with its reason.
set -euo pipefail
cd "$(dirname "$0")/.."
failed=0
tool() { go tool -modfile="$PWD/hack/tools/go.mod" "$@"; }
step() {
	hack/say.sh "$1"
	shift
	"$@" || failed=1
}

staticcheck() {
	# ST1000 (package comments) is archcheck's. ST1003 wants names like URLs and
	# IDs that the wire types of KubeVela do not have. ST1016 and ST1020-ST1022 are
	# taste. QF are suggestions, not findings. ST1005 knows no error that starts
	# with a kind, as in `Deployment "web" is refused`.
	tool staticcheck -checks 'all,-ST1000,-ST1003,-ST1005,-ST1016,-ST1020,-ST1021,-ST1022,-QF*' ./...
}

errcheck() {
	# Errors of printing are dropped on purpose: nobody could be told. So are those
	# of Close on what was only read (-ignoreclose does not exist: see the file).
	tool errcheck -exclude hack/errcheck.txt ./...
}

unconvert() {
	# Generated files convert what they like.
	tool unconvert ./... | { ! grep -v 'zz_generated'; }
}

spelling() {
	git ls-files -co --exclude-standard '*.go' '*.md' '*.sh' '*.cue' '*.yaml' Makefile |
		grep -v '^charts/testdata/' |
		xargs -r go tool -modfile="$PWD/hack/tools/go.mod" misspell -error -locale US
}

formatted() {
	local files
	files=$(git ls-files -co --exclude-standard '*.go' | xargs gofmt -s -l)
	[ -z "$files" ] || { echo "not formatted, run \`make fmt\`:"; echo "$files"; return 1; }
}

step "gofmt" formatted
step "archcheck" go run ./hack/archcheck . cmd/vela-local
step "go vet" go vet ./...
step "go vet cmd/vela-local" go vet -C cmd/vela-local ./...
step "staticcheck" staticcheck
step "errcheck" errcheck
step "ineffassign" tool ineffassign ./...
step "unconvert" unconvert
step "misspell" spelling
exit $failed
