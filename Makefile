# The front door. `make demo` and `make test` set up all that they need on a Debian 12.
.DEFAULT_GOAL := help
JOBS ?= $(shell nproc)
export CMAKE_BUILD_PARALLEL_LEVEL := $(JOBS)
CTEST := ctest --output-on-failure --no-tests=error -j $(JOBS)
configure = cmake --log-level=WARNING -Wno-dev --preset $(1) $(2) >/dev/null
# The tests of a process that nothing patches, which a sanitizer does. They run in the release build; all
# others under the sanitizers.
HOST_TESTS := attester_hook_tests;attester_jvm_tests
PYTEST := .venv/bin/python -m pytest -q

.PHONY: help
help: ## Show this list
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-13s %s\n", $$1, $$2}'

.PHONY: setup
setup: ## Install what the build and the demo need
	@tools/setup

.PHONY: setup-tests
setup-tests: setup ## Install what the tests and checks need beside
	@tools/setup --tests

.PHONY: setup-android
setup-android: setup ## Install what the build for Android needs beside
	@tools/setup --android

.PHONY: programs
programs: setup ## Build the service, the command and the SDK's library into build/release
	@$(call configure,release,-DTOUCHMARK_TESTS=OFF -DTOUCHMARK_BENCH=OFF)
	@cmake --build --preset release --target touchmark touchmark_sdk

.PHONY: product
product: programs ## Build them, the SDK's AAR, and what Gradle, npm and Xcode take
	@tools/setup --package
	@attester/android/build-aar build/release
	@attester/ios/build-package build/release
	@attester/javascript/build build/release

.PHONY: build
build: product setup-tests ## Build the product, and the tests that a sanitizer would disturb
	@$(call configure,release,-DTOUCHMARK_TESTS=ON -DTOUCHMARK_BENCH=OFF -DTOUCHMARK_TEST_NAMES="$(HOST_TESTS)")
	@cmake --build --preset release

.PHONY: package
package: product ## Build the Debian package into build/
	@tools/package

.PHONY: android-library
android-library: setup-android
	@attester/android/build-native

.PHONY: android
android: android-library ## Build the SDK for Android's four ABIs with ANDROID_NDK_HOME: one AAR, and the packages for npm and Swift
	@tools/setup --package
	@attester/javascript/build --sdk-dir build/android/native
	@attester/ios/build-package --sdk-dir build/android/native

.PHONY: android-check
android-check: product setup-tests setup-android ## Without an NDK: compile the SDK for four ABIs, link and run arm64's library
	@attester/android/check

.PHONY: android-types
android-types: setup-android ## Without an NDK: have the compiler look at the SDK for Android's four ABIs
	@attester/android/check --types

.PHONY: ios-check
ios-check: setup-tests ## Without a Mac: have the compiler look at the SDK's core and binding for iPhones and the simulator
	@attester/ios/check

.PHONY: demo
demo: programs ## Tell the story: a real app attested, tampered with, and refused
	@if [ -n "$$ANDROID_NDK_HOME$$ANDROID_NDK_ROOT" ]; then $(MAKE) --no-print-directory android-library; fi
	@attester/android/build-aar --alone build/release
	@lab/run demo

.PHONY: arm-check
arm-check: setup ## Run the core's unit tests for Arm, 64 and 32 bits, under qemu-user
	@tools/setup --arm
	@tests/arm/check

.PHONY: test
test: build check-format lint structure tidy unit android-check ios-check e2e sanitize ## Run all tests and checks but arm-check, bench and fuzz

.PHONY: unit
unit: build ## Run the unit tests of the release build
	$(CTEST) --preset release

.PHONY: e2e
e2e: build setup-android ## Run the tests over the real service, command, app and attackers; not tests/android
	$(PYTEST) tests --ignore=tests/android
	for folder in relying-party/recipes relying-party/cpp/tests relying-party/gateway/tests demo lab/tests; do \
	  $(PYTEST) $$folder || exit 1; \
	done
	relying-party/go/check
	for versions in lowest newest; do \
	  build/relying-party/$$versions/bin/python -m pytest -q relying-party/python/tests || exit 1; \
	done
	relying-party/node/check
	relying-party/java/check
	lab/run table

.PHONY: sanitize
sanitize: setup-tests ## Run the unit tests under ASan + UBSan, and the concurrent ones under TSan
	@$(call configure,asan) && cmake --build --preset asan
	$(CTEST) --preset asan
	@$(call configure,tsan) && cmake --build --preset tsan
	$(CTEST) --preset tsan

.PHONY: check-format
check-format: setup-tests ## Check the format of the C++ sources
	@tools/format --check

.PHONY: lint
lint: setup-tests ## Check format and lint of Python, Java, TypeScript, Go and shell
	@tools/lint

.PHONY: format
format: setup-tests ## Format the C++ sources
	@tools/format

.PHONY: structure
structure: setup-tests ## Check layers, error ids and locks
	@tools/check-layers
	@tools/check-error-ids
	@tools/check-locks

.PHONY: tidy
tidy: setup-tests ## Run clang-tidy over the C++ sources that changed (tools/tidy --all: over all)
	@tools/tidy --at-most 24

.PHONY: bench
bench: product ## Run the benchmarks
	@tools/setup --bench
	@$(call configure,release,-DTOUCHMARK_TESTS=OFF -DTOUCHMARK_BENCH=ON)
	@cmake --build --preset release
	@tests/bench/run

.PHONY: fuzz
fuzz: setup-tests ## Run each fuzz target for a minute
	@$(call configure,fuzz) && cmake --build --preset fuzz --target fuzz_targets
	@tests/fuzz/run

.PHONY: clean
clean: ## Remove what was built
	rm -rf build demo/app/build demo/.local
