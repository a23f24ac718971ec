#!/usr/bin/env bash
# coverage_test.sh PROGRAM REASONS: every cell of the suite's accounts is reached by a case, or is empty for a reason that
# REASONS, conformance/coverage/empty_cells.txt, tells. Also tests that the program finds a cell without a reason.
set -euo pipefail
source syscalls/testing/expect.sh

program=$PWD/$1
reasons=$PWD/$2
tested=("$program")

expect 0 "a  operation x option x family" --coverage

# The same without the reasons of account a.
folder=$TEST_TMPDIR/runfiles/net_tcp/conformance/coverage
mkdir -p "$folder"
sed '/^a /d' "$reasons" > "$folder/empty_cells.txt"
export TEST_SRCDIR=$TEST_TMPDIR/runfiles
expect 1 $'Empty without a reason:\na  accept nonblock twice, v4' --coverage --accounts=a

expect 2 "--accounts=z: must be one of a to h" --coverage --accounts=z
expect 2 "--accounts: needs --coverage" --accounts=a
expect 2 "--coverage: cannot be combined with --driver" --coverage --driver=true

[ "$failures" = 0 ]
