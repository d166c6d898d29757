#!/usr/bin/env bash
# Installs what this machine lacks. `setup.sh` is about building and the demo;
# `setup.sh test` also about the tools that the tests drive. Packages come from
# apt, as root or through sudo; without either it says what is missing. The rest
# goes below .tools and touches nothing else.
set -euo pipefail
cd "$(dirname "$0")/.."
tools=$PWD/.tools
export PATH=$tools/go/bin:$tools/python/bin:$PATH
want_go=$(sed -n 's/^go //p' go.mod)
toolchain=go1.26.8
boto3=1.43.11 awscli=1.45.11 moto=5.2.1 awslambdaric=4.2.2 debugpy=1.8.22
needed=() wished=()

have() { command -v "$1" >/dev/null 2>&1; }
say() { echo "setup: $*" >&2; }

# at_least WANTED HAVE: a comparison of versions.
at_least() { [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" = "$1" ]; }

# go_fits: go's own version is new enough, without a toolchain download.
go_fits() {
	local version
	version=$(GOTOOLCHAIN=local go env GOVERSION 2>/dev/null | sed 's/^go//') || return 1
	[ -n "$version" ] && at_least "$want_go" "$version"
}

# boto3_fits, aws_fits: new enough to read AWS_ENDPOINT_URL, which Debian 12's
# are not.
boto3_fits() { python3 -c 'import boto3; print(boto3.__version__)' 2>/dev/null | { read -r v && at_least 1.28 "$v"; }; }
aws_fits() {
	local version
	version=$(aws --version 2>/dev/null | sed -n 's|^aws-cli/\([0-9.]*\).*|\1|p')
	case $version in
	"") false ;;
	1.*) at_least 1.29 "$version" ;;
	*) at_least 2.13 "$version" ;;
	esac
}
debugpy_fits() { python3 -c 'import debugpy' 2>/dev/null; }
python_fits() { boto3_fits && { [ -z "$1" ] || { aws_fits && debugpy_fits; }; }; }

# moto_fits: some python has moto's server, on which butai release is tried too.
moto_fits() {
	local python
	for python in "$tools/moto/bin/python" python3 python3.11; do
		"$python" -c 'import moto.server' 2>/dev/null && return
	done
	false
}

# plan lists the packages that are missing.
plan() {
	go_fits || have go || needed+=(golang-go)
	python_fits "$1" || python3 -c 'import ensurepip, venv' 2>/dev/null || needed+=(python3 python3-venv)
	[ ${#needed[@]} -eq 0 ] || [ -e /etc/ssl/certs/ca-certificates.crt ] || needed+=(ca-certificates)
	[ -n "$1" ] || return 0
	moto_fits || python3 -c 'import ensurepip, venv' 2>/dev/null || wished+=(python3 python3-venv)
	have node || wished+=(nodejs)
	have javac || wished+=(default-jdk-headless)
	have ruby || wished+=(ruby)
	ls /usr/share/java/{velocity,json-path}.jar >/dev/null 2>&1 || wished+=(velocity libjsonpath-java)
	have postgres || ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || wished+=(postgresql)
}

# apt_install installs packages, or says how to.
apt_install() {
	local sudo=""
	[ "$(id -u)" -eq 0 ] || sudo=sudo
	if ! have apt-get; then
		say "please install what Debian calls $*"
		return 1
	elif [ -n "$sudo" ] && ! { have sudo && { [ -t 0 ] || sudo -n true 2>/dev/null; }; }; then
		say "please run as root: apt-get install -y $*"
		return 1
	fi
	say "apt-get install $*"
	[ -n "${updated:-}" ] || { $sudo apt-get update -qq >/dev/null && updated=1; }
	$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

# Go toolchains are modules: any Go fetches one through the module proxy, and
# checks it against the checksum database.
install_go() {
	go_fits && return
	local release scratch
	mkdir -p "$tools"
	scratch=$(mktemp -d "$tools/go.XXXXXX")
	release=golang.org/toolchain@v0.0.1-$toolchain.$(go env GOOS)-$(go env GOARCH)
	say "fetching $toolchain into .tools/go"
	(
		cd "$scratch"
		export GOFLAGS=-mod=mod GOTOOLCHAIN=local GOMODCACHE=$scratch/cache
		go mod init scratch >/dev/null 2>&1
		go mod download "$release"
	)
	chmod -R u+w "$scratch"
	rm -rf "$tools/go"
	mv "$scratch/cache/$release" "$tools/go"
	chmod +x "$tools"/go/bin/* "$tools"/go/pkg/tool/*/*
	rm -rf "$scratch"
}

# install_python makes a virtual environment; the Makefile puts it on PATH.
install_python() {
	python_fits "$1" && return
	say "pip install boto3${1:+ awscli debugpy} into .tools/python"
	[ -x "$tools/python/bin/pip" ] || python3 -m venv --clear "$tools/python"
	"$tools/python/bin/pip" install --quiet --disable-pip-version-check "boto3==$boto3" ${1:+"awscli==$awscli" "debugpy==$debugpy"}
}

# install_moto gives moto's server an environment of its own: it wants its own
# version of much.
install_moto() {
	moto_fits && return
	say "pip install moto into .tools/moto"
	python3 -m venv --clear "$tools/moto" &&
		"$tools/moto/bin/pip" install --quiet --disable-pip-version-check "moto[server]==$moto" ||
		say "moto's server is not installed; its test will be skipped"
}

# install_ric fetches AWS's client for Python, for the Python that functions with
# a program of their own find.
install_ric() {
	[ ! -d "$tools/ric-python" ] || return 0
	local version python
	version=$(/usr/bin/python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || return 0
	for python in "$tools/python/bin/python" "$tools/moto/bin/python" python3; do
		"$python" -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --only-binary=:all: --python-version "$version" \
			--target "$tools/ric-python" "awslambdaric==$awslambdaric" 2>/dev/null && return
	done
	rm -rf "$tools/ric-python"
	say "awslambdaric is not installed; its test will be skipped"
}

for_tests=${1:-}
plan "$for_tests"
[ ${#needed[@]} -eq 0 ] || apt_install "${needed[@]}" || exit 1
[ ${#wished[@]} -eq 0 ] || apt_install "${wished[@]}" || say "the tests that need them will be skipped"
install_go
install_python "$for_tests"
[ -z "$for_tests" ] || install_moto
[ -z "$for_tests" ] || install_ric
[ -z "$for_tests" ] || have terraform || say "terraform is not installed; its tests will be skipped"
