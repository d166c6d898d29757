#!/usr/bin/env bash
# What must hold besides the tests: formatting, vet, generated files as the
# generator writes them, a tidy go.mod.
set -euo pipefail
cd "$(dirname "$0")/.."
fail=0
say() { echo "check: $*" >&2; fail=1; }

unformatted=$(gofmt -l $(git ls-files '*.go'))
[ -z "$unformatted" ] || say "not gofmt-clean: $unformatted"

go vet ./... || say "go vet found something"
GOOS=darwin go vet ./cmd/butai ./internal/function/... || say "the code doesn't build for macOS"

fresh=$(mktemp -d)
trap 'rm -rf "$fresh"' EXIT
go run ./cmd/wiregen generate -models models -out "$fresh/api"
diff -r "$fresh/api" internal/api >/dev/null || say "internal/api differs from what wiregen writes: make generate"

cp README.md "$fresh/README.md"
scripts/readme-table.sh "$fresh/README.md"
diff -q "$fresh/README.md" README.md >/dev/null || say "the README's table is stale: make generate"

go mod tidy -diff >/dev/null || say "go.mod is not tidy"

[ "$fail" -eq 0 ] && echo "check: ok"
exit "$fail"
