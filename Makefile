# The two commands that matter: `make run` and `make test`. Everything else is behind them.
.PHONY: help deps build run test test-long bench package format tidy clean

help:
	@echo "make run        install what is missing, build, start the daemon with demo detectors, say where to look"
	@echo "make test       build and run every check (the same as continuous integration does)"
	@echo "make build      release build into build/"
	@echo "make deps       install what building and testing need (Debian 12)"
	@echo "make package    deb and rpm, into build/packages/"
	@echo "make bench      measure beside raw LMDB, other stores and journalctl, in one run"
	@echo "make test-long  the long checks: whole-tree tidy, thread sanitizer, all fault rounds, long fuzzing, benches"
	@echo "make format     format the sources"

deps:
	@tools/deps.sh all

build:
	@tools/deps.sh build
	@cmake --preset release >build-configure.log 2>&1 || { cat build-configure.log; exit 1; }
	@rm -f build-configure.log
	@cmake --build build --target tocsind tocsinctl tocsin-spark libtocsin # tests and benches build what they need beside

run: build
	@tools/run.sh

test: deps
	@tools/check.sh

test-long: deps
	@tools/check.sh long

bench: deps
	@cmake --preset release -DTOCSIN_BENCH=ON >/dev/null && cmake --build build
	@bench/run.sh

package:
	@tools/deps.sh package
	@packaging/package.sh

format:
	@git ls-files '*.cpp' '*.hpp' '*.c' '*.h' | xargs clang-format-19 -i

tidy:
	@tools/tidy.sh --all

clean:
	@rm -rf build build-*
