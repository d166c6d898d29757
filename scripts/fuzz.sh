#!/usr/bin/env bash
# Fuzzes every fuzz target for the given time.
set -euo pipefail
cd "$(dirname "$0")/.."
for pkg in $(go list ./internal/...); do
	for target in $(go test -list '^Fuzz' "$pkg" | grep '^Fuzz' || true); do
		echo "$pkg $target"
		go test -run '^$' -fuzz "^$target\$" -fuzztime "$1" "$pkg"
	done
done
