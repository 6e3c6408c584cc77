#!/usr/bin/env bash
# Makes sure that there is a Go that can fetch the one go.mod asks for: 1.21 or
# newer. An older one only says that it cannot read go.mod.
set -euo pipefail
wanted=$(awk '$1 == "go" {print $2; exit}' "$(dirname "$0")/../go.mod")
if ! command -v go >/dev/null; then
	echo "There is no Go here. Install 1.21 or newer, for example from https://go.dev/dl; it fetches $wanted by itself." >&2
	exit 1
fi
have=$(cd / && GOTOOLCHAIN=local go version | awk '{print $3}')
minor=$(sed -nE 's/^go1\.([0-9]+).*/\1/p' <<<"$have")
if [ -n "$minor" ] && [ "$minor" -lt 21 ]; then
	echo "Go here is $have. 1.21 or newer is needed, for example from https://go.dev/dl; it fetches $wanted by itself." >&2
	exit 1
fi
