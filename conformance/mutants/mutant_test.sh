#!/usr/bin/env bash
# mutant_test.sh PROGRAM CASE...: each case must fail for the mutant that PROGRAM judges, or crash if the mistake causes
# a crash, on every axis. PROGRAM must print the requirement and the last system calls, and exit with 1.
set -euo pipefail

program=$PWD/$1
shift
if [[ $# == 0 ]]; then
  echo "No case is to catch this mutant."
  exit 1
fi
# Only these columns use the mutated code.
mutated=net_tcp,net_tcp_on_fake_kernel
status=0
for id in "$@"; do
  output=$("$program" --implementations=$mutated --cases="$id" --jobs=1 --verbose) && actual=0 || actual=$?
  requirement=$("$program" --explain="$id" | sed -n 's/^  requirement: //p')
  if [[ $actual == 1 && $output =~ (FAIL|CRASH)(", LEAK")?"  $id " && $output != *"PASS  $id "* &&
    $output == *"$requirement"* && $output == *"the last system calls:"* ]]; then
    echo "caught by $id: $requirement"
  else
    printf 'NOT CAUGHT by %s: exit status %s and:\n%s\n' "$id" "$actual" "$output"
    status=1
  fi
done
exit $status
