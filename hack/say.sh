#!/usr/bin/env bash
# Says what happens next, so that a long silence has a name.
set -euo pipefail
if [ -t 1 ]; then printf '\033[1m==> %s\033[0m\n' "$*"; else printf '==> %s\n' "$*"; fi
