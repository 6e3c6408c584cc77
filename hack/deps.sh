#!/usr/bin/env bash
# Installs what real nodes need, on Debian and Ubuntu, as root. Everything else
# works without: simulated nodes need nothing, and so do build and tests.
set -euo pipefail
nodes=${NODES:-auto}

say() { printf 'deps: %s\n' "$*"; }

if [ "$nodes" = simulated ]; then
	say "nodes are simulated, nothing to install"
	exit 0
fi

missing=()
command -v containerd >/dev/null || missing+=(containerd)
command -v runc >/dev/null || missing+=(runc)
command -v nft >/dev/null || missing+=(nftables)
[ -x /usr/lib/cni/bridge ] || [ -x /opt/cni/bin/bridge ] || missing+=(containernetworking-plugins)
if [ ${#missing[@]} -eq 0 ]; then
	say "containerd, runc, nftables and the network plugins are there"
	exit 0
fi

# Says why there is no real node; only an explicit wish makes that an error.
without() {
	if [ "$nodes" = real ]; then
		say "$1; NODES=real cannot be had" >&2
		exit 1
	fi
	say "$1: nodes will be simulated (pods become Ready but do not run)"
	exit 0
}

[ "$(id -u)" -eq 0 ] || without "real nodes need root and ${missing[*]}"
[ -r /etc/os-release ] && . /etc/os-release
case " ${ID:-} ${ID_LIKE:-} " in
*" debian "* | *" ubuntu "*) ;;
*) without "${missing[*]} missing, and this is not Debian or Ubuntu" ;;
esac
command -v apt-get >/dev/null || without "${missing[*]} missing, and there is no apt-get"

say "installing ${missing[*]} with apt-get: containerd and runc run the pods of the local clusters, nftables and the plugins give them a network"
export DEBIAN_FRONTEND=noninteractive
if ! { apt-get update -q && apt-get install -y -q --no-install-recommends "${missing[@]}"; }; then
	without "apt-get could not install ${missing[*]}"
fi
say "installed ${missing[*]}"
