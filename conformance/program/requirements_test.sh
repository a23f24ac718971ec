#!/usr/bin/env bash
# requirements_test.sh PROGRAM REQUIREMENTS.PY CONTRACT REQUIREMENTS: compares conformance/REQUIREMENTS.md with what
# requirements.py generates from the program's cases. Tests that requirements.py rejects a rule of the contract without a
# case.
set -euo pipefail

program=$PWD/$1
generator=$PWD/$2
contract=$PWD/$3
requirements=$PWD/$4
failures=0

"$program" --list --format=json > "$TEST_TMPDIR/list"
python3 "$generator" "$contract" < "$TEST_TMPDIR/list" > "$TEST_TMPDIR/generated"
if ! diff "$requirements" "$TEST_TMPDIR/generated"; then
  echo "FAILED: conformance/REQUIREMENTS.md is not up to date. conformance/program/requirements.py tells how to generate it."
  failures=$((failures + 1))
fi

# expect_mistake TEXT CONTRACT LIST: requirements.py must fail and print TEXT.
expect_mistake() {
  local output status=0
  output=$(python3 "$generator" "$2" < "$3" 2>&1) || status=$?
  if [[ $status != 1 || $output != *"$1"* ]]; then
    printf 'FAILED: expected status 1 and "%s"\n  actual status %s and:\n%s\n' "$1" "$status" "$output"
    failures=$((failures + 1))
  fi
}

sed 's/^| Close |/| Shutting |/' "$contract" > "$TEST_TMPDIR/contract"
expect_mistake '"Shutting" has no case' "$TEST_TMPDIR/contract" "$TEST_TMPDIR/list"
expect_mistake '"Close" is no rule of the contract' "$TEST_TMPDIR/contract" "$TEST_TMPDIR/list"
sed 's/contract: Close/contract: SendAll/' "$TEST_TMPDIR/list" > "$TEST_TMPDIR/other_list"
expect_mistake '"SendAll" has cases, and a reason' "$contract" "$TEST_TMPDIR/other_list"

[ "$failures" = 0 ]
