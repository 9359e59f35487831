#!/bin/bash
# The stages of `make test`: each prints its minutes, the first that fails ends the run. `check.sh long` adds the long ones.
# Ends with CTest's own summary over all stages.
set -u -o pipefail
cd "$(dirname "$0")/.."
export LC_ALL=C.UTF-8 LANG=C.UTF-8 TZ=UTC # the compiler's cache tells locales apart
LONG="${1:-}"
JOBS="$(nproc)"
LOGS=build/check-logs
mkdir -p "$LOGS"
TOTAL=0
FAILED=0

# ctest_stage BUILD_DIR ARGS...: runs CTest and adds its numbers to the totals.
ctest_stage() {
  local dir="$1" log
  shift
  log="$LOGS/ctest-$$-$RANDOM.log"
  ctest --test-dir "$dir" --output-on-failure --no-tests=error "$@" 2>&1 | tee "$log" | grep -vE '^ +Start |^ *[0-9]+/[0-9]+ Test .* Passed '
  local rc=${PIPESTATUS[0]} ran bad
  ran=$(sed -n 's/.*tests failed out of \([0-9]*\).*/\1/p' "$log" | tail -1)
  bad=$(sed -n 's/.* \([0-9]*\) tests failed out of.*/\1/p' "$log" | tail -1)
  TOTAL=$((TOTAL + ${ran:-0}))
  FAILED=$((FAILED + ${bad:-0}))
  return "$rc"
}

stage() {
  local name="$1" begin rc
  shift
  echo "== $name"
  begin=$(date +%s)
  "$@"
  rc=$?
  echo "== $name: $(awk -v s=$(($(date +%s) - begin)) 'BEGIN{printf "%.1f", s/60}') min$([ $rc -eq 0 ] || echo ", FAILED")"
  [ $rc -eq 0 ] || finish 1
}

finish() {
  local passed=100
  [ "$TOTAL" -gt 0 ] && passed=$(((TOTAL - FAILED) * 100 / TOTAL))
  echo
  echo "$passed% tests passed, $FAILED tests failed out of $TOTAL"
  exit "$1"
}

build() {
  cmake --preset "$1" >"$LOGS/configure-$1.log" 2>&1 || { cat "$LOGS/configure-$1.log"; return 1; }
  cmake --build --preset "$1" -- -j "$JOBS" >"$LOGS/build-$1.log" 2>&1 || { tail -60 "$LOGS/build-$1.log"; return 1; }
}

check() {
  build release && tools/format.sh --check && ctest_stage build -j "$JOBS" -L 'unit|lint' || return 1
  [ "$LONG" = long ] || tools/tidy.sh # the long run judges all units
}

behave() {
  build nosync && ctest_stage build -j 1 -L 'integration|fault'
}

sanitize() {
  build asan-ubsan && ctest_stage build-asan -j "$JOBS" -L 'unit|integration' &&
    build fuzz && ctest_stage build-fuzz -j "$JOBS" -L '^fuzz$'
}

install() {
  [ "$(id -u)" -eq 0 ] || echo "install: the machines of these tests take root; without it they are skipped"
  packaging/package.sh && packaging/lint.sh && ctest_stage build -j 1 -L system
}

stage check check
stage behave behave
stage sanitize sanitize
stage install install

if [ "$LONG" = long ]; then
  tidy_all() { tools/tidy.sh --all; }
  tsan() { build tsan && ctest_stage build-tsan -j "$JOBS" -L unit; }
  rounds() { TOCSIN_ROUNDS=200 ctest_stage build -j 1 -L fault; }
  # Twice the same bytes, of both kinds.
  packages() {
    packaging/package.sh >/dev/null && (cd build/packages && sha256sum -- *.deb *.rpm) >"$LOGS/packages.sha256" &&
      packaging/package.sh >/dev/null && (cd build/packages && sha256sum -c "$OLDPWD/$LOGS/packages.sha256")
  }
  fuzz_long() { build fuzz && cmake --build build-fuzz --target fuzz-long >"$LOGS/build-fuzz-long.log" && TOCSIN_FUZZ_SECONDS=60 ctest_stage build-fuzz -j "$JOBS" -L fuzz; }
  benches() { bench/run.sh; }
  stage tidy-all tidy_all
  stage tsan tsan
  stage rounds rounds
  stage fuzz fuzz_long
  stage packages packages
  stage bench benches
fi
finish 0
