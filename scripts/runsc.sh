#!/usr/bin/env bash
# Builds gVisor's runsc into .tools/bin, for butai serve --isolation=runsc and its
# tests. That takes a minute and a half of processor time, so it isn't part of
# setup. The version is of gVisor's go branch, which go can build without Bazel.
# Without cgo, because runsc starts itself where no libraries are.
set -euo pipefail
cd "$(dirname "$0")/.."
version=v0.0.0-20260527191743-a81fd9dd382e
out=$PWD/.tools/bin
! go version -m "$out/runsc" 2>/dev/null | grep -q "gvisor.dev/gvisor[[:space:]]$version" || exit 0
echo "runsc: building $version into .tools/bin" >&2
GOBIN=$out CGO_ENABLED=0 go install -ldflags '-s -w' "gvisor.dev/gvisor/runsc@$version"
