#!/usr/bin/env bash
# Runs every test, tells of each package as it ends, and closes with one line
# that counts the tests.
set -uo pipefail
cd "$(dirname "$0")/.."

# The template engine is compared with Apache Velocity wherever that is; here
# on the same random templates each time, by make oracle on new ones.
! ls /usr/share/java/{velocity,json-path}.jar >/dev/null 2>&1 || export BUTAI_VTL_ORACLE=1 BUTAI_VTL_SEED=20261128

# What make has built is what the tests drive.
[ ! -x bin/butai ] || export BUTAI_BINARY=$PWD/bin/butai

# The suites that drive a real server come after the unit tests, so that they
# have the machine to themselves, two at a time. The one for Terraform's
# resources goes beside them: most of its time its provider waits, as long as it
# would for AWS, for queues and distributions. The timeouts are each several
# times what the slowest package takes, and keep a run with one that hangs below
# 20 minutes. What takes long is named first, so that it doesn't run alone at the
# end.
{
	status=0
	go test -count=1 -timeout 5m -json ./internal/function ./cmd/... ./internal/... ./examples/... || status=1
	go test -count=1 -p 3 -timeout 8m -json ./test/terraform ./test/release ./test/story ./test/... || status=1
	exit "$status"
} | go run ./scripts/testcount
