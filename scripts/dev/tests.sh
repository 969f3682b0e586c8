# shellcheck shell=bash
# Lints and all tests. The few tests that failed in the throng are run once more by themselves, and named.

# More than this have not failed for want of a core.
FEW_TESTS=5
# Most of them wait for the engine or for time to pass.
TESTS_PER_CORE=2

run_tests_and_lints() {
  local log=$STATE/tests.log lints
  : >"$log"
  lint_when_built "$log" >"$STATE/lints.log" 2>&1 &
  lints=$!
  run_tests "$log" "$@"
  if ! wait "$lints"; then
    cat "$STATE/lints.log"
    die "the lints found something" "see above"
  fi
  say "the lints found nothing"
}

# Lints and tests want the build folder to themselves: once the tests run, they want only what these leave of the cores.
lint_when_built() {
  until grep -q '^ *Running ' "$1"; do
    kill -0 $$ 2>/dev/null || return 1
    sleep 1
  done
  nice -n 19 cargo clippy --all-targets -- -D warnings
}

run_tests() {
  local log=$1 failed
  shift
  export RUST_TEST_THREADS=${RUST_TEST_THREADS:-$((TESTS_PER_CORE * $(nproc)))}
  if cargo test --no-fail-fast "$@" 2>&1 | tee "$log"; then return; fi
  mapfile -t failed < <(failed_tests "$log")
  [ ${#failed[@]} -gt 0 ] || die "the tests could not be built or run" "see above, or $log"
  [ ${#failed[@]} -le $FEW_TESTS ] || die "${#failed[@]} tests failed" "see above, or $log"
  say "failed beside the others, so run once more, alone: ${failed[*]}"
  cargo test --no-fail-fast -- --exact "${failed[@]}" --test-threads 1
  say "passed alone, but not beside the others; worth a look: ${failed[*]}"
}

# Each test program ends with two lists called failures, the second of bare names.
failed_tests() {
  awk '/^failures:$/ { count = 0 }
    /^    [A-Za-z0-9_:]+$/ { names[count++] = $1 }
    /^test result/ { for (i = 0; i < count; i++) print names[i]; count = 0 }' "$1" | sort -u
}
