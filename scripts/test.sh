#!/usr/bin/env bash
# Runs every test and closes with one line that counts them.
set -uo pipefail
cd "$(dirname "$0")/.."
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# The suites that drive a real server come after the unit tests, so that they
# have the machine to themselves.
go test -count=1 -json ./cmd/... ./internal/... ./examples/... >"$log"
unit=$?
go test -count=1 -p 2 -timeout 15m -json ./test/... >>"$log"
story=$?

go run ./scripts/testcount <"$log"
counted=$?
[ "$unit" -eq 0 ] && [ "$story" -eq 0 ] && [ "$counted" -eq 0 ]
