#!/usr/bin/env bash
# Fuzzes every fuzz target for the given time, or those of the packages that are
# named behind it. Making interesting inputs smaller
# is left out: of documents it takes all the time there is.
set -euo pipefail
cd "$(dirname "$0")/.."
time=$1
shift
for pkg in $(go list "${@:-./internal/...}"); do
	for target in $(go test -list '^Fuzz' "$pkg" | grep '^Fuzz' || true); do
		echo "$pkg $target"
		go test -run '^$' -fuzz "^$target\$" -fuzztime "$time" -fuzzminimizetime 10x "$pkg"
	done
done
