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
	# IDs that the wire types of KubeVela do not have. ST1005 knows no error that
	# starts with a kind, as in `Deployment "web" is refused`. ST1012, ST1016 and
	# ST1020-ST1022 are taste. QF are suggestions, not findings. SA1019 would stop
	# every upgrade of a dependency that deprecates something; it has its own day.
	tool staticcheck -checks 'all,-ST1000,-ST1003,-ST1005,-ST1012,-ST1016,-ST1020,-ST1021,-ST1022,-SA1019,-QF*' ./...
}

errcheck() {
	# The file lists what may be dropped: errors of printing, of which nobody could
	# be told, and of Close on what was only read.
	tool errcheck -exclude hack/errcheck.txt ./...
}

unconvert() {
	# Generated files convert what they like.
	tool unconvert ./... | { ! grep -v 'zz_generated'; }
}

spelling() {
	# Tests misspell on purpose, to see whether the mistake is pointed out; a
	# parameter of collect-service-endpoints is KubeVela's.
	git ls-files -co --exclude-standard '*.go' '*.md' '*.sh' '*.cue' Makefile |
		grep -vE '_test\.go$|^docs/style\.md$' |
		xargs -r go tool -modfile="$PWD/hack/tools/go.mod" misspell -i protocal -error
}

formatted() {
	local files
	files=$(git ls-files -co --exclude-standard '*.go' | grep -v '/zz_generated' | xargs -r ls 2>/dev/null | xargs -r gofmt -s -l)
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
