#!/usr/bin/env bash
# Generates, formats and lints. Fails when that changes a file: then somebody
# forgot `make generate fmt`.
set -euo pipefail
cd "$(dirname "$0")/.."

# Compares the tree with what it was before, so that it works on a tree with
# changes that are not committed yet.
state() { git ls-files -co --exclude-standard | LC_ALL=C sort | xargs -r -d '\n' sha256sum 2>/dev/null || true; }

before=$(mktemp) after=$(mktemp)
trap 'rm -f "$before" "$after"' EXIT
state >"$before"
hack/say.sh "generate and format"
make generate fmt
state >"$after"
if ! diff -u "$before" "$after" >/dev/null; then
	echo "generate and fmt changed files; commit the result:" >&2
	diff "$before" "$after" | sed -n 's/^> [0-9a-f]*  /  /p' >&2
	exit 1
fi
make lint
hack/say.sh "verified: nothing to generate, format or complain about"
