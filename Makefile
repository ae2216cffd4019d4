# Everything a contributor runs. On a machine with only Go, Node.js and apt, "make test" sets up the rest by itself.

SHELL    := /bin/bash
SUDO     := $(shell [ "$$(id -u)" = 0 ] || echo sudo)
FUZZTIME ?= 30s
NPM_DONE := e2e/node_modules/.package-lock.json
NPM_SPA  := e2e/spa/node_modules/.package-lock.json
NPM_BENCH := bench/node/node_modules/.package-lock.json
BENCH    ?=
# Programs under the race detector otherwise sleep for a second when they end, and tests run hundreds.
export GORACE := atexit_sleep_ms=0
# Modules of their own: what they compare the engine with stays out of go.mod.
MODULES  := $(patsubst %/go.mod,%,$(shell git ls-files '*/go.mod'))

.DEFAULT_GOAL := help

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /make \1\t/' | expand -t 14

.PHONY: run
run: ## install WebSocket Protocol and serve http://127.0.0.1:8080/
	go run ./cmd/rolemgr install websocket --serve

.PHONY: test
test: lint deps ## lint, every test under the race detector, end-to-end tests against real programs
	go test -race ./...
	go test ./internal/target ./runtime/wshost/ws/conformance # in full, which is too much under the race detector
	go test -run Attack ./runtime/wshost/ws
	@set -e; for m in $(MODULES); do echo "$$m"; (cd $$m && go test ./...); done
	go test -race -tags e2e -count=1 -p 1 -timeout 15m ./e2e/...
	go test -tags e2e -count=1 ./e2e/handover # too slow under the race detector

.PHONY: lint
lint: ## gofmt, go vet, staticcheck, and the syntax of scripts
	@unformatted=$$(gofmt -l $$(git ls-files '*.go')); [ -z "$$unformatted" ] || { echo "not gofmt'ed: $$unformatted" >&2; exit 1; }
	go vet -tags e2e ./...
	go tool staticcheck -tags e2e ./...
	@set -e; for m in $(MODULES); do (cd $$m && go vet ./...); done
	@for f in $$(git ls-files '*.mjs' 'features/*.js'); do node --input-type=module --check < $$f || { echo "in $$f" >&2; exit 1; }; done

.PHONY: bench
bench: $(NPM_BENCH) ## compare the engine with other servers, in about half an hour; writes docs/benchmark.* (BENCH="-rounds 1 -servers rolemgr,raw-epoll")
	cd bench && go run . run $(BENCH)

.PHONY: bench-static
bench-static: bench-peers ## compare static files with nginx, Caddy and Apache, in about ten minutes; writes docs/benchmark-static.* (BENCH="-rounds 3 -scenarios 1k")
	cd bench && go run . static $(BENCH)

.PHONY: bench-proxy
bench-proxy: bench-peers ## compare WebSocket proxies with nginx, HAProxy and Caddy, in about twelve minutes; writes docs/benchmark-proxy.* (BENCH="-rounds 3 -scenarios p1")
	cd bench && go run . proxy $(BENCH)

# Installing a server starts it where Debian does so; the benchmark starts its own on other ports.
.PHONY: bench-peers
bench-peers: ## install nginx, HAProxy, Caddy and Apache for bench-static and bench-proxy
	@missing=(); \
	command -v nginx >/dev/null || [ -x /usr/sbin/nginx ] || missing+=(nginx); \
	command -v haproxy >/dev/null || [ -x /usr/sbin/haproxy ] || missing+=(haproxy); \
	command -v caddy >/dev/null || missing+=(caddy); \
	command -v apache2 >/dev/null || [ -x /usr/sbin/apache2 ] || missing+=(apache2); \
	[ -e /etc/mime.types ] || missing+=(media-types); \
	[ $${#missing[@]} = 0 ] && exit 0; \
	echo "installing $${missing[*]}"; \
	$(SUDO) apt-get update -qq && DEBIAN_FRONTEND=noninteractive $(SUDO) apt-get install -y --no-install-recommends "$${missing[@]}" || \
	  { echo "could not install $${missing[*]}: run \"make bench-peers\" as a user who may" >&2; exit 1; }

.PHONY: microbench
microbench: ## the benchmarks of the packages
	go test -run '^$$' -bench . -benchmem ./...
	cd runtime/wshost/ws/deflate/peers && go test -run '^$$' -bench .

.PHONY: fuzz
fuzz: ## every fuzz target for FUZZTIME (default 30s)
	@set -e; for pkg in $$(go list ./...); do \
	  for target in $$(go test -list '^Fuzz' $$pkg | grep '^Fuzz' || true); do \
	    echo "$$pkg $$target"; go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 5x $$pkg; \
	  done; \
	done; \
	for m in $(MODULES); do (cd $$m; for pkg in $$(go list ./...); do \
	  for target in $$(go test -list '^Fuzz' $$pkg | grep '^Fuzz' || true); do \
	    echo "$$pkg $$target"; go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 5x $$pkg; \
	  done; \
	done); done

.PHONY: deps
deps: $(NPM_DONE) $(NPM_SPA) $(NPM_BENCH) ## install what the end-to-end tests drive: chromium, java, python3-websockets, libwebsockets, a C compiler, curl, openssl, tmux, php-cgi, npm packages
	@missing=(); \
	command -v chromium >/dev/null || missing+=(chromium); \
	command -v curl >/dev/null || missing+=(curl); \
	command -v openssl >/dev/null || missing+=(openssl); \
	command -v javac >/dev/null || missing+=(default-jdk-headless); \
	command -v cc >/dev/null || missing+=(gcc libc6-dev); \
	command -v libwebsockets-test-client >/dev/null || missing+=(libwebsockets-test-server); \
	[ -e /usr/include/libwebsockets.h ] || missing+=(libwebsockets-dev); \
	command -v tmux >/dev/null || missing+=(tmux); \
	command -v php-cgi >/dev/null || missing+=(php-cgi); \
	/usr/bin/python3 -c 'import websockets' 2>/dev/null || missing+=(python3-websockets); \
	[ $${#missing[@]} = 0 ] && exit 0; \
	echo "installing $${missing[*]}"; \
	$(SUDO) apt-get update -qq && DEBIAN_FRONTEND=noninteractive $(SUDO) apt-get install -y --no-install-recommends "$${missing[@]}" || \
	  { echo "could not install $${missing[*]}: run \"make deps\" as a user who may" >&2; exit 1; }

$(NPM_BENCH): bench/node/package.json bench/node/package-lock.json
	@command -v npm >/dev/null || { echo "npm is missing: install Node.js 20 or later, then run \"make deps\"" >&2; exit 1; }
	cd bench/node && npm ci
	@touch $@

$(NPM_DONE): e2e/package.json e2e/package-lock.json
	@command -v npm >/dev/null || { echo "npm is missing: install Node.js 20 or later, then run \"make deps\"" >&2; exit 1; }
	cd e2e && npm ci
	@touch $@

$(NPM_SPA): e2e/spa/package.json e2e/spa/package-lock.json
	@command -v npm >/dev/null || { echo "npm is missing: install Node.js 20.19 or later, then run \"make deps\"" >&2; exit 1; }
	cd e2e/spa && npm ci --ignore-scripts
	@touch $@
