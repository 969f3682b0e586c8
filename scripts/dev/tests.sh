# shellcheck shell=bash
# Lints and all tests. The few tests that failed in the throng are run once more by themselves, and named.

# More than this have not failed for want of a core.
FEW_TESTS=5
# Most of them wait for the engine or for time to pass.
TESTS_PER_CORE=2

# The lints look on while everything is built: by themselves they would read all of it again, for minutes. Whoever uses
# what was built so must say the same, so the words stay set.
build_and_lint() {
  export RUSTC_WORKSPACE_WRAPPER=clippy-driver CLIPPY_ARGS=-Dwarnings
  cargo build --all-targets || die "it cannot be built, or the lints found something" "see above"
  say "the lints found nothing"
}

run_tests() {
  local log=$STATE/tests.log failed
  export RUST_TEST_THREADS=${RUST_TEST_THREADS:-$((TESTS_PER_CORE * $(nproc)))}
  if cargo test --no-fail-fast "$@" 2>&1 | tee "$log"; then return; fi
  mapfile -t failed < <(failed_tests "$log")
  [ ${#failed[@]} -gt 0 ] || die "the tests could not be run" "see above, or $log"
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
