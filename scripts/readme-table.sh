#!/usr/bin/env bash
# Writes `butai coverage` into the README between its two markers.
set -euo pipefail
cd "$(dirname "$0")/.."
readme=${1:-README.md}
table=$(mktemp)
trap 'rm -f "$table" "$table.new"' EXIT
go run ./cmd/butai coverage --markdown >"$table"
awk -v table="$table" '
	/<!-- coverage:end -->/ { skip = 0 }
	!skip { print }
	/<!-- coverage:begin -->/ { while ((getline line < table) > 0) print line; skip = 1 }
' "$readme" >"$table.new"
cat "$table.new" >"$readme"
