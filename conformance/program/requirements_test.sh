#!/usr/bin/env bash
# requirements_test.sh PROGRAM REQUIREMENTS.PY CONTRACT EXPECTATIONS REQUIREMENTS: compares conformance/REQUIREMENTS.md with
# what requirements.py generates from the program's cases. Tests that requirements.py rejects a rule of the contract without
# a case, and an expectation of Linux without a case or a version, and which versions it reads from expectations.
set -euo pipefail

program=$PWD/$1
generator=$PWD/$2
contract=$PWD/$3
expectations=$PWD/$4
requirements=$PWD/$5
failures=0

"$program" --list --format=json > "$TEST_TMPDIR/list"
python3 "$generator" "$contract" "$expectations" < "$TEST_TMPDIR/list" > "$TEST_TMPDIR/generated"
if ! diff "$requirements" "$TEST_TMPDIR/generated"; then
  echo "FAILED: conformance/REQUIREMENTS.md is not up to date. conformance/program/requirements.py tells how to generate it."
  failures=$((failures + 1))
fi

# expect_mistake TEXT CONTRACT EXPECTATIONS LIST: requirements.py must fail and print TEXT.
expect_mistake() {
  local output status=0
  output=$(python3 "$generator" "$2" "$3" < "$4" 2>&1) || status=$?
  if [[ $status != 1 || $output != *"$1"* ]]; then
    printf 'FAILED: expected status 1 and "%s"\n  actual status %s and:\n%s\n' "$1" "$status" "$output"
    failures=$((failures + 1))
  fi
}

sed 's/^| Close |/| Shutting |/' "$contract" > "$TEST_TMPDIR/contract"
expect_mistake '"Shutting" has no case' "$TEST_TMPDIR/contract" "$expectations" "$TEST_TMPDIR/list"
expect_mistake '"Close" is no rule of the contract' "$TEST_TMPDIR/contract" "$expectations" "$TEST_TMPDIR/list"
sed 's/contract: Close/contract: SendAll/' "$TEST_TMPDIR/list" > "$TEST_TMPDIR/other_list"
expect_mistake '"SendAll" has cases, and a reason' "$contract" "$expectations" "$TEST_TMPDIR/other_list"

printf '%s\n' "kernel.no.such_case fail if=kernel<6.9  # Why." "kernel.listen.* fail if=root  # Why." \
  > "$TEST_TMPDIR/bad.expectations"
expect_mistake '"kernel.no.such_case" matches no case for kernels' "$contract" "$TEST_TMPDIR/bad.expectations" "$TEST_TMPDIR/list"
expect_mistake 'if=root  # Why." does not name the versions' "$contract" "$TEST_TMPDIR/bad.expectations" "$TEST_TMPDIR/list"

# expect_versions CASE VERSIONS: VERSIONS must be the last cell of a case's row, with the expectations below.
expect_versions() {
  local row
  row=$(grep -F "| \`$1\` |" "$TEST_TMPDIR/with_versions")
  if [[ $row != *" | $2 |" ]]; then
    printf 'FAILED: expected the versions "%s"\n  actual row %s\n' "$2" "$row"
    failures=$((failures + 1))
  fi
}

cat > "$TEST_TMPDIR/linux.expectations" << 'END'
# A comment.

kernel.peek_off.end fail axis=v4 if=kernel<6.9  # Why.
kernel.peek_off.*   timeout axis=v6 if=kernel<6.12  # Why.
kernel.peek_off     fail if=kernel<6.10  # Why.
kernel.listen.backlog.told fail if=kernel<6.9  # Why.
kernel.listen.backlog.told flaky if=kernel>=6.9 if=kernel<6.10  # Why.
END
python3 "$generator" "$contract" "$TEST_TMPDIR/linux.expectations" < "$TEST_TMPDIR/list" > "$TEST_TMPDIR/with_versions"
expect_versions kernel.peek_off 'since 6.10'
expect_versions kernel.peek_off.end 'v4 since 6.9, v6 since 6.12'
expect_versions kernel.peek_off.off 'v4 all, v6 since 6.12'
expect_versions kernel.listen.backlog.told 'since 6.10, partly since 6.9'
expect_versions kernel.accept.names all
expect_versions listen.backlog.given 6.18

[ "$failures" = 0 ]
