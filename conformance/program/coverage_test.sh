#!/usr/bin/env bash
# coverage_test.sh PROGRAM REASONS: every cell of the suite's accounts is reached by a case, or is empty for a reason that
# REASONS, conformance/coverage/empty_cells.txt, tells. Also tests that the program finds a cell without a reason.
set -euo pipefail

program=$PWD/$1
reasons=$PWD/$2
failures=0

# expect STATUS TEXT ARGS...: runs the program with ARGS. It must exit with STATUS and print TEXT.
expect() {
  local status=$1 text=$2 output actual=0
  shift 2
  output=$("$program" "$@" 2>&1) || actual=$?
  if [[ $actual != "$status" || $output != *"$text"* ]]; then
    printf 'FAILED: %s\n  expected status %s and "%s"\n  actual status %s and:\n%s\n' \
      "$*" "$status" "$text" "$actual" "$output"
    failures=$((failures + 1))
  fi
}

expect 0 "a  operation x option x family" --coverage

# The same without the last reason.
folder=$TEST_TMPDIR/runfiles/net_tcp/conformance/coverage
mkdir -p "$folder"
sed '$d' "$reasons" > "$folder/empty_cells.txt"
export TEST_SRCDIR=$TEST_TMPDIR/runfiles
expect 1 $'Empty without a reason:\nf  fork with an open listener' --coverage --accounts=f

expect 2 "--accounts=z: must be one of a to h" --coverage --accounts=z
expect 2 "--accounts: needs --coverage" --accounts=a
expect 2 "--coverage: cannot be combined with --driver" --coverage --driver=true

[ "$failures" = 0 ]
