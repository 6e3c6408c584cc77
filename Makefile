# vela: see README.md. Everything here needs Go and make; what else is needed is
# built from source or, said out loud, installed by `make deps`.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

BIN  := $(CURDIR)/bin
TOOL := go tool -modfile=$(CURDIR)/hack/tools/go.mod
# Without symbol tables a binary is a third smaller; stack traces stay complete.
LINK := -ldflags '-s -w'
# Clients parse the version that the embedded Kubernetes says it has.
KUBE := $(shell awk '$$1 == "k8s.io/kubernetes" {print $$2; exit}' cmd/vela-local/go.mod)
LINK_LOCAL := -ldflags '-s -w -X k8s.io/component-base/version.gitVersion=$(KUBE)'

# Nodes of the local clusters: auto, real or simulated.
NODES    ?= auto
# Arguments of a single benchmark or end-to-end run, for example RUN=TestDelivery.
RUN      ?= .
# The compatibility cases of KubeVela lie beside this repository.
COMPAT   ?= $(CURDIR)/../shared/compat

export VELA_COMPAT := $(COMPAT)
export VELA_LOCAL  := $(BIN)/vela-local
export PATH        := $(BIN):$(PATH)

##@ Every day

.PHONY: help
help: ## Print this list
	@awk 'BEGIN {FS = ":.*## "} \
	  /^##@/ {printf "\n%s\n", substr($$0, 5)} \
	  /^[a-z0-9-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo

.PHONY: build
build: ## Build bin/vela, bin/vela-core, bin/vela-local and its images
	@hack/go.sh
	@mkdir -p $(BIN)
	@hack/say.sh "build vela, vela-core$(if $(wildcard cmd/vela-server), and vela-server)"
	@CGO_ENABLED=0 go build $(LINK) -o $(BIN)/ ./cmd/vela ./cmd/vela-core $(addprefix ./,$(wildcard cmd/vela-server))
	@hack/say.sh "build vela-local (a whole Kubernetes: the first time takes minutes)"
	@go build -C cmd/vela-local $(LINK_LOCAL) -o $(BIN)/vela-local .
	@go run -C cmd/vela-local ./images -out $(BIN)/images

.PHONY: run
run: deps build ## Set up everything and deliver examples/first-app to two clusters
	@NODES=$(NODES) hack/run.sh

.PHONY: status
status: ## Show the local clusters and the Applications in them
	@hack/status.sh

.PHONY: stop
stop: ## End the local clusters; their data stays
	@if [ -x $(BIN)/vela-local ]; then $(BIN)/vela-local stop; else echo "nothing to stop: bin/vela-local is not built"; fi

##@ Proof

.PHONY: test
test: build ## Pass all tests of both modules
	@$(TOOL) gotestsum --format pkgname-and-test-fails --format-hide-empty-pkg --hide-summary=skipped --raw-command -- hack/test.sh all

.PHONY: test-unit
test-unit: ## Pass the tests that need neither an API server nor a cluster
	@$(TOOL) gotestsum --format pkgname-and-test-fails --format-hide-empty-pkg --hide-summary=skipped --raw-command -- hack/test.sh unit

.PHONY: e2e
e2e: build ## Pass the user stories on the local clusters (RUN=regexp picks some)
	@go test -count=1 -timeout 40m -v -run '$(RUN)' ./e2e/...

.PHONY: compat
compat: build ## Score against the cases of KubeVela (RUN=regexp picks some)
	@COMPAT='$(COMPAT)' RUN='$(RUN)' hack/compat.sh

.PHONY: bench
bench: build ## Measure; the table is bench/RESULTS.md (LOAD=apps:100 picks a load)
	@RUN='$(RUN)' LOAD='$(LOAD)' hack/bench.sh

.PHONY: soak
soak: ## Render a million times and look at memory and results (SOAK=renders)
	@SOAK=$(or $(SOAK),1000000) SOAK_CONCURRENT=200000 go test -count=1 -v -timeout 6h -run 'Soak' ./bench/soak

.PHONY: verify
verify: ## Check that generated files, format, lint and architecture are in order
	@hack/verify.sh

##@ Change

.PHONY: generate
generate: ## Write deepcopy, CRDs, the definitions of the chart and docs/cli
	@$(TOOL) controller-gen object crd:generateEmbeddedObjectMeta=true,maxDescLen=0 \
	  paths=./apis/... output:crd:dir=charts/vela-core/crds
	@go run ./hack/gendefs
	@UPDATE=1 go test -count=1 ./references/docgen >/dev/null

.PHONY: fmt
fmt: ## Format Go, except for what is generated
	@git ls-files -co --exclude-standard '*.go' | grep -v '/zz_generated' | xargs -r ls 2>/dev/null | xargs -r gofmt -s -w

.PHONY: lint
lint: ## Run vet, staticcheck and friends, and the architecture check
	@hack/lint.sh

.PHONY: deps
deps: ## Install what real nodes need; says what and why (NODES=simulated: nothing)
	@NODES=$(NODES) hack/deps.sh

.PHONY: clean
clean: stop ## Stop the local clusters, remove their data and bin/
	@if [ -x $(BIN)/vela-local ]; then $(BIN)/vela-local reset; fi
	@rm -rf $(BIN)
