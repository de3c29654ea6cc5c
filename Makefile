# imagefarm: make help lists what there is.
GO ?= go
BIN ?= bin
# Tests and containers are built as go run and go build do it, so that nothing is built twice. TAGS=nodynamic makes programs
# that load no shared libraries.
TAGS ?=

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: build
build: ## the four programs, into ./bin
	$(GO) build -tags "$(TAGS)" -o $(BIN)/ ./farm ./ventilator ./worker ./sink

.PHONY: run
run: ## thumbnails of testdata/photos into ./out
	$(GO) run -tags "$(TAGS)" ./farm run testdata/photos --out out

# Packages with assembly. Without it they are tested in short.
ASSEMBLY = engine/picture engine/resample hevc inflate jpeg png vp8 vp8l

# Decoders that start no goroutine, which test/laws checks, so that the race detector would only make them ten times slower.
SERIAL = bitstream bmp gif hevc inflate isobmff png raster raw tiff vp8 vp8l

.PHONY: test
test: vet ## everything: unit, conformance, command lines, processes, faults; with the race detector where it matters
	$(GO) test -tags "$(TAGS)" -race -timeout 15m $$($(GO) list -tags "$(TAGS)" ./pkg/... | grep -v -e /pkg/jpeg -e /pkg/engine $(SERIAL:%=-e '/pkg/%$$'))
	$(GO) test -tags "$(TAGS)" -timeout 15m ./pkg/jpeg/... ./pkg/engine/... $(SERIAL:%=./pkg/%)
	$(GO) test -short -tags "$(TAGS) purego" -timeout 15m $(ASSEMBLY:%=./pkg/%)
	IMAGEFARM_CODECS=native $(GO) test -tags "$(TAGS)" -timeout 15m ./pkg/engine/reference ./pkg/engine/heif ./pkg/engine/webp
	$(GO) test -tags "$(TAGS)" -timeout 20m ./test/... ./testdata/gen/... ./bench/... ./deploy/...

.PHONY: test-quick
test-quick: vet ## what one changes most: the packages, the laws and the command lines, without the race detector
	$(GO) test -short -tags "$(TAGS)" ./pkg/... ./test/laws ./test/cli

.PHONY: vet
vet: ## go vet and gofmt
	$(GO) vet -tags "$(TAGS)" ./...
	@test -z "$$(gofmt -l . | tee /dev/stderr)"

.PHONY: test-compose
test-compose: ## the containers: builds, scales, counts; needs Docker Engine with compose
	IMAGEFARM_COMPOSE_TEST=1 $(GO) test -tags "$(TAGS)" -count=1 -timeout 25m -v ./test/compose

.PHONY: chaos
chaos: ## processes killed, frozen and cut at random, 110 faults and more; CHAOS_SEED=n replays, CHAOS_WAY=buckets or shards
	$(GO) test -tags "$(TAGS)" -count=1 -timeout 20m -v ./test/chaos -run Whatever -chaos.way $(or $(CHAOS_WAY),files) -chaos.images 2000 -chaos.faults 110 -chaos.pace 150ms -chaos.seed $(or $(CHAOS_SEED),0)

.PHONY: attack
attack: ## a run under a million mutated messages, 2,000 silent connections and 100,000 mutated images; and what a flood costs
	$(GO) test -tags "$(TAGS)" -count=1 -timeout 60m -v ./test/hostile -run UnderAttack -full
	$(GO) test -tags "$(TAGS)" -run '^$$' -bench Flood -benchtime 3x ./test/hostile

.PHONY: fuzz
fuzz: ## every fuzz target for FUZZTIME each (default 1m)
	@for p in $$($(GO) list ./pkg/...); do \
	  for f in $$($(GO) test -tags "$(TAGS)" -list '^Fuzz' $$p | grep '^Fuzz'); do \
	    echo "$$p $$f"; $(GO) test -tags "$(TAGS)" -run '^$$' -fuzz "^$$f\$$" -fuzztime $(or $(FUZZTIME),1m) $$p || exit 1; \
	  done; done

.PHONY: bench
bench: ## messages per second of the sockets, beside a raw TCP loop
	$(GO) test -run '^$$' -bench . ./pkg/zsock

# The version is pinned, so that everybody gets the same findings. The first run builds it.
GOLANGCI_LINT ?= $(GO) run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.14.0

.PHONY: lint
lint: ## golangci-lint: errors unchecked, dead code, long lines, import groups
	$(GOLANGCI_LINT) run ./...

.PHONY: audit
audit: ## known vulnerabilities, dangerous code, licences; says what it could not reach
	$(GO) run ./deploy/audit -lint "$(GOLANGCI_LINT)"

.PHONY: dist
dist: ## a release: archives, packages, sums, bill of materials and, with Docker, the container image; into ./dist
	$(GO) run ./deploy/release -out dist

.PHONY: clean
clean: ## remove what the targets above made
	rm -rf $(BIN) out dist
