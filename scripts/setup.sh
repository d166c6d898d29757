#!/usr/bin/env bash
# Installs what building and testing need and this machine lacks. It installs
# packages only on Debian and its kin, and only as root; elsewhere it says what
# is missing. Everything it installs by hand goes below .tools.
set -euo pipefail
cd "$(dirname "$0")/.."
tools=$PWD/.tools
want_go=$(sed -n 's/^go //p' go.mod)

have() { command -v "$1" >/dev/null 2>&1; }

apt() {
	if ! have apt-get; then
		echo "setup: please install: $*" >&2
		return 1
	fi
	local sudo=""
	if [ "$(id -u)" -ne 0 ]; then
		have sudo || { echo "setup: please install as root: apt-get install $*" >&2; return 1; }
		sudo=sudo
	fi
	[ -n "${updated:-}" ] || { $sudo apt-get update -qq >/dev/null; updated=1; }
	DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

# go_is_new_enough GO: its own version, without a toolchain download.
go_is_new_enough() {
	local v
	v=$(GOTOOLCHAIN=local "$1" env GOVERSION 2>/dev/null | sed 's/^go//') || return 1
	[ -n "$v" ] && [ "$(printf '%s\n%s\n' "$want_go" "$v" | sort -V | head -n 1)" = "$want_go" ]
}

install_go() {
	have go && go_is_new_enough go && return
	[ -x "$tools/go/bin/go" ] && return
	have go || apt golang-go ca-certificates
	# Go toolchains are modules: any Go can fetch one through the module proxy.
	local release=v0.0.1-go1.26.8.linux-$(dpkg --print-architecture 2>/dev/null || echo amd64) scratch
	scratch=$(mktemp -d)
	(cd "$scratch" && go mod init scratch >/dev/null 2>&1 && GOFLAGS=-mod=mod go mod download "golang.org/toolchain@$release")
	mkdir -p "$tools"
	cp -r "$(go env GOMODCACHE)/golang.org/toolchain@$release" "$tools/go"
	chmod -R u+w "$tools/go"
	chmod +x "$tools"/go/bin/* "$tools"/go/pkg/tool/*/* 2>/dev/null || true
	rm -rf "$scratch"
}

# A Python with boto3, for handlers and as a client; python3-boto3 is Debian's.
install_python() {
	local p
	for p in python3 python3.11 python3.12 python3.13; do
		if have "$p" && "$p" -c 'import boto3' 2>/dev/null; then return; fi
	done
	apt python3 python3-boto3
}

install_go
install_python
have node || apt nodejs || true
have aws || apt awscli || true
ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || apt postgresql || true
have javac || apt default-jdk-headless || true
have terraform || echo "setup: terraform is not installed; its tests will be skipped" >&2
