#!/usr/bin/env bash
# trial_test_output_test.sh DRIVER_TEST ROGUE: tests the output of a tcp_conformance_test in CI, with a driver for which
# most cases fail.
set -euo pipefail

driver_test=$PWD/$1
rogue=$PWD/$2
failures=0
cd "$TEST_TMPDIR"

fail() {
  echo "FAILED: $1"
  failures=$((failures + 1))
}

printf '#!/bin/sh\nexec python3 %s none\n' "$rogue" > driver
chmod +x driver
# Bazel set these variables for this test, not for the program that it starts.
unset GTEST_OUTPUT TEST_SHARD_INDEX TEST_TOTAL_SHARDS XML_OUTPUT_FILE TESTBRIDGE_TEST_ONLY
export TEST_TARGET=//conformance:some_test

# The driver answers some commands, such as shutdown, without doing anything, so some of these cases hang.
if "$driver_test" --driver=driver --timeout=5s --cases='listen.defaults.*,peeraddr.a*,accept.flags.*' > output 2>&1; then
  fail "a driver that cannot connect has passed"
fi
failed=$(grep -c '^failed: ' output) || true
lines=$(wc -l < output)
[[ $failed -ge 8 ]] || fail "only $failed tests failed"
# GoogleTest's output for each passed, skipped and failed test was five times as long.
[[ $lines -le $((30 * failed + 40)) ]] || fail "$lines lines for $failed failed tests"
for text in "requirement (must): " "source: " "the session:" " tests failed" \
  "again: bazel test //conformance:some_test --test_filter=peeraddr."; do
  grep -qF -- "$text" output || fail "no '$text'"
done
if grep -qE '\[ +(OK|RUN|SKIPPED) +\]' output; then
  fail "tests that did not fail are listed"
fi
"$driver_test" --driver=driver --cases='listen.defaults.keepalive' --verbose > verbose 2>&1 || true
grep -q '\[ RUN ' verbose || fail "--verbose: not all that GoogleTest prints"

if [[ $failures -gt 0 ]]; then cat output; fi
exit $((failures > 0))
