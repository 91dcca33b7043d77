# Front door. `make run` and `make test` need nothing before them but a compiler, make and git:
# they install what is missing (Debian packages, see scripts/bootstrap), configure and build.

.PHONY: help build run test sanitize soak fuzz bench peers check format clean

help:
	@echo "make run       build, then multiply real matrices and check every element"
	@echo "make test      build and run all tests, with a short sanitizer subset"
	@echo "make build     build everything into build/"
	@echo "make sanitize  all tests under the address+undefined and thread sanitizers"
	@echo "make soak      100,000 calls on devices that fail at random, plain and under the sanitizers"
	@echo "make fuzz      libFuzzer on the parsers, 60 s each (FUZZ_SECONDS=N)"
	@echo "make bench     time the engine here"
	@echo "make peers     the same beside other libraries (PEERS=--quick), some minutes"
	@echo "make check     the repository checks of scripts/check"
	@echo "make format    clang-format every source"

# A build folder that another preset has configured stays as it is: building one target does not
# need the tests, and switching back and forth would configure each time.
run:
	@scripts/bootstrap run
	@test -f build/build.ninja || cmake --preset run >/dev/null
	@cmake --build build --target tilewave_main
	@scripts/demo "$(CURDIR)/build/bin/tilewave" build/demo

build:
	@scripts/bootstrap test
	@cmake --preset release >/dev/null
	@cmake --build build

# The release tests come last, so that their summary closes the output.
test: build
	@cmake --preset asan >/dev/null
	@cmake --build build-asan --target unit_tests engine_tests xrt_tests soak mlir_fuzz npy_fuzz profile_fuzz stream_fuzz
	@cmake --preset tsan >/dev/null
	@cmake --build build-tsan --target thread_tests soak
	@ctest --test-dir build-asan -L 'unit_tests|engine_tests|xrt_tests|soak|fuzz' -j2 --output-on-failure
	@ctest --test-dir build-tsan -L 'thread_tests|soak' --output-on-failure
	@ctest --test-dir build -j2 --output-on-failure

sanitize:
	@scripts/bootstrap test
	@for preset in asan tsan; do \
	  cmake --preset $$preset >/dev/null && cmake --build build-$$preset && \
	  ctest --test-dir build-$$preset -j2 --output-on-failure || exit 1; \
	done

SOAK ?= --calls 100000 --threads 4 --rate 0.01
soak:
	@scripts/bootstrap test
	@for preset in release asan tsan; do \
	  cmake --preset $$preset >/dev/null || exit 1; \
	done
	@for build in build build-asan build-tsan; do \
	  cmake --build $$build --target soak || exit 1; \
	  for layer in driver device; do \
	    echo "$$build:" && $$build/bin/soak $(SOAK) --layer $$layer || exit 1; \
	  done; \
	done

FUZZ_SECONDS ?= 60
fuzz:
	@scripts/bootstrap check
	@scripts/fuzz $(FUZZ_SECONDS)

bench: build
	@scripts/bench

PEERS ?= --quick
peers:
	@scripts/bootstrap run
	@scripts/peers $(PEERS)

check: build
	@scripts/bootstrap check
	@scripts/check/all

format:
	@scripts/bootstrap check
	@find include src cli bench tests examples \( -name '*.h' -o -name '*.cc' -o -name '*.c' \) \
	  -exec clang-format -i {} +

clean:
	@rm -rf build build-aarch64 build-asan build-clang build-debug build-fuzz build-peers build-tsan
