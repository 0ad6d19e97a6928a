# Needs only Go and make. `make run` and `make test` install what else they need, see .ci/setup.

GO        ?= go
BIN       := bin/gyro
TOOLS     := -modfile=.ci/tools/go.mod
FUZZTIME  ?= 30s
DURATION  ?=
TESTFLAGS ?=
ARGS      ?=
SEED      ?= 1
CALLS     ?= 1000000
VERSION   := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)

RECORDS   ?= 1000000

.DEFAULT_GOAL := help
.PHONY: help run build test race integration fuzz differential hostile conformance bench month docs lint check clean

help: ## list these targets
	@awk -F':.*## ' '/^[a-z]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## start a server with a private Postgres and demo data, and place a call on it (ARGS="--data-dir DIR" and the like)
	@.ci/setup run
	@$(MAKE) --no-print-directory build
	$(BIN) serve --demo $(ARGS)

build: ## build bin/gyro
	$(GO) build -trimpath -ldflags "-X main.version=$(VERSION)" -o $(BIN) ./cmd/gyro

test: ## run all tests, with a real Postgres, foreign network elements and tshark
	@.ci/setup test
	$(GO) test -timeout 15m $(TESTFLAGS) ./...

race: ## run all tests under the race detector (needs a C compiler)
	@.ci/setup race
	CGO_ENABLED=1 $(GO) test -race -timeout 40m $(TESTFLAGS) ./...

integration: ## run only the tests of the real binary, for example TESTFLAGS="-run GY_077 -v"
	@.ci/setup test
	$(GO) test -count=1 -timeout 15m $(TESTFLAGS) ./integration

fuzz: ## fuzz every target for FUZZTIME, a time (30s) or a number of inputs (3000x), or all together for DURATION (1h)
	@.ci/setup test
	@GO="$(GO)" .ci/fuzz $(if $(DURATION),--total $(DURATION),$(FUZZTIME))

differential: ## compare CALLS random calls from SEED on with a model that lets one second go by after the other
	$(GO) test -count=1 -timeout 6h -run TestAgainstTheSlowModel ./ocs -model-seed $(SEED) -model-calls $(CALLS)

hostile: ## hundreds of clients that mean harm, with floods of full size: 10,000 connections, a million broken frames
	@.ci/setup test
	$(GO) test -count=1 -timeout 60m -v -run TestHostileClients $(TESTFLAGS) ./integration -hostile-full

conformance: ## write docs/conformance.md: every requirement with its tests and what they came to
	@.ci/setup test
	@results=$$(mktemp) && { $(GO) test -json -count=1 -timeout 30m ./diameter/... ./ocs/... ./integration >"$$results" || true; } && \
		$(GO) run ./integration/conformance <"$$results" >"$$results.md" && cat "$$results.md" >docs/conformance.md; rm -f "$$results" "$$results.md"

bench: ## requests a second and processor time a request, beside a bare Diameter echo (ARGS="-duration 30s" and the like)
	@.ci/setup run
	@$(MAKE) --no-print-directory build
	$(GO) run ./integration/bench -gyro "$(CURDIR)/$(BIN)" $(ARGS)

docs: ## write the pages of docs that come from the code anew
	@.ci/setup test
	$(GO) test -count=1 ./cmd/gyro ./ocs/postgres ./integration -run '^TestReference' -args -rewrite

renewals: ## renew the plans of many subscribers while calls go on: time, and what calls wait (ARGS="-renewals 1000000 -calls 500")
	@.ci/setup run
	$(GO) test ./ocs/charging -run '^$$' -bench '^BenchmarkRenewals$$' -benchtime 1x -timeout 2h -v $(ARGS)

month: ## close and export a month of RECORDS CDRs, twice in every format, with time and memory (RECORDS=10000000 needs 30 GB)
	@.ci/setup run
	$(GO) test ./ocs/cdr -count=1 -v -timeout 4h -run 'TestMeasureMonth$$' -records $(RECORDS)

lint: ## run golangci-lint
	$(GO) tool $(TOOLS) golangci-lint run ./...

check: ## everything that must pass beside the tests
	@echo 'gofmt';            files=$$(gofmt -l $$(git ls-files -co --exclude-standard '*.go')) && test -z "$$files" || { echo "not formatted:" $$files >&2; exit 1; }
	@echo 'go mod verify';    $(GO) mod verify
	@echo 'go mod tidy';      $(GO) mod tidy -diff
	@echo 'go vet';           $(GO) vet ./...
	@echo 'go fix';           diff=$$($(GO) fix -diff ./...) && test -z "$$diff" || { echo "$$diff"; echo 'go fix ./... would change this' >&2; exit 1; }
	@echo 'shell';            for script in .ci/setup .ci/run .ci/fuzz; do bash -n $$script || exit 1; done
	@$(MAKE) --no-print-directory lint

clean: ## remove what was built; data directories stay
	rm -rf bin
	$(GO) clean -testcache
