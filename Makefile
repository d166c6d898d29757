# Everything a person or CI runs. `make help` lists the targets.

GO       ?= go
LDFLAGS  := -s -w
# A folder of Terraform providers, if this machine has one; elsewhere
# Terraform downloads its own.
BUTAI_TF_PLUGIN_DIR ?= $(shell find / -xdev -maxdepth 2 -type d -name tf-plugins 2>/dev/null | head -n 1)
export BUTAI_TF_PLUGIN_DIR
# For all that goes through go, so that nothing is compiled twice.
export GOFLAGS := $(strip $(GOFLAGS) -trimpath)
# Tools that setup puts below .tools win over those of the machine.
export PATH := $(CURDIR)/.tools/go/bin:$(CURDIR)/.tools/python/bin:$(CURDIR)/.tools/bin:$(PATH)

.PHONY: help setup setup-test build demo test test-short race check lint generate models bench oracle soak fuzz measure clean bench-short ric runsc test-runsc release-proof test-vm
.NOTPARALLEL:

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  \1\t/' | expand -t 16

setup: ## install what building and the demo need and this machine lacks
	@scripts/setup.sh

setup-test: ## install what the tests drive as well
	@scripts/setup.sh test

build: setup ## build bin/butai
	@$(GO) build -ldflags '$(LDFLAGS)' -o bin/.linked ./cmd/butai
	@cp bin/.linked bin/.copy && mv bin/.copy bin/butai && rm bin/.linked # see internal/server/memory_linux.go

demo: build ## start butai and walk through a release from staging to production
	@bin/butai demo $(DEMO_FLAGS)

test: setup-test build ## run every test, with the real tools
	@scripts/test.sh

test-short: ## run the tests that need no server
	@$(GO) test ./cmd/... ./internal/...

test-vm: setup ## try isolation on Debian's kernel in a virtual machine; takes root and up to half an hour
	@scripts/test-vm.sh $(CASES)

race: ## run the unit tests under the race detector
	@$(GO) test -race ./internal/...

check: ## what must hold before a change lands, besides the tests
	@scripts/check.sh

lint: ## look for mistakes and dead code with staticcheck and deadcode; a minute
	@$(GO) run honnef.co/go/tools/cmd/staticcheck@v0.8.2 ./...
	@test -z "$$($(GO) run golang.org/x/tools/cmd/deadcode@v0.52.0 -test ./... | tee /dev/stderr)"

generate: ## regenerate the wire layer and the README's table
	@$(GO) run ./cmd/wiregen generate -models models -out internal/api
	@scripts/readme-table.sh

models: ## extract the models anew: make models BOTOCORE=…/botocore/data
	@$(GO) run ./cmd/wiregen extract -botocore '$(BOTOCORE)' -models models

bench: build ## measure speed side by side with what a user would pick instead
	@$(GO) run ./bench

bench-short: build ## the short form of bench, for CI
	@$(GO) run ./bench -short

oracle: ## compare 20,000 random templates with Apache Velocity
	@BUTAI_VTL_ORACLE=1 BUTAI_VTL_CASES=20000 $(GO) test -count=1 -timeout 20m -run Oracle ./internal/gateway/vtl

soak: ## load a server for ten minutes while deployments and variables change
	@BUTAI_SOAK=10m $(GO) test -count=1 -v -timeout 15m ./test/soak

release-proof: build ## the long form of butai release's tests: killed at each call, 200 requests a second
	@BUTAI_RELEASE_FULL=1 $(GO) test -count=1 -v -timeout 10m -run Mixed ./test/release
	@BUTAI_RELEASE_FULL=1 $(GO) test -count=1 -v -timeout 60m -run Killed ./test/release

ric: ## build npm's aws-lambda-ric, which takes a minute or two, and run AWS's clients
	@scripts/ric.sh && $(GO) test -count=1 -v -run RuntimeInterfaceClients ./test/provided

runsc: setup ## build gVisor's runsc into .tools/bin, for butai serve --isolation=runsc
	@scripts/runsc.sh

test-runsc: runsc ## run functions, and hostile ones, under gVisor
	@BUTAI_TEST_ISOLATION=runsc $(GO) test -count=1 -timeout 5m -run 'GVisor|Hostile|ForkBomb|NothingSurvives|TmpIs|Spare|Provided|Ahead' ./internal/function
	@$(GO) test -count=1 -run 'Hello|Unrunnable|Report' ./internal/function/sandbox

fuzz: ## fuzz each parser for 30 seconds
	@scripts/fuzz.sh 30s

measure: build ## print ready time, idle memory and size of the binary
	@BUTAI_MEASURE=1 $(GO) test -count=1 -v ./test/measure

clean: ## remove what was built
	@rm -rf bin .tools
