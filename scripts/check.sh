#!/usr/bin/env bash
# What must hold besides the tests: formatting, vet, generated files as the
# generator writes them, a tidy go.mod, and a moment of fuzzing of what reads
# people's documents and templates.
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

# Code that looks up methods by names made at run time (text/template does)
# has the linker keep every method of every type, and so all of AWS's SDK.
lookups=$(go build -ldflags=-dumpdep -o "$fresh/butai" ./cmd/butai 2>&1 | sed -n 's/ <ReflectMethod>.*//p' | sort -u | head -3)
[ -z "$lookups" ] || say "methods are looked up by name, the binary grows by 18 MB: $lookups"

# Go's fuzzer sometimes fails by its own time limit. What it
# finds is kept as a seed, and fails the second time too.
fuzzed() { scripts/fuzz.sh 3s ./internal/apigateway/openapi ./internal/gateway/vtl ./internal/gateway/jsonpath >"$fresh/fuzz" 2>&1; }
fuzzed || fuzzed || say "fuzzing found something: $(tail -n 20 "$fresh/fuzz")"

go mod tidy -diff >/dev/null || say "go.mod is not tidy"

[ "$fail" -eq 0 ] && echo "check: ok"
exit "$fail"
