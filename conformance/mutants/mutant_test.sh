#!/usr/bin/env bash
# mutant_test.sh PROGRAM CASE...: the program, which judges a mutant, must find
# that each of the cases fails (or crashes, where that is what the mistake does) on
# every axis, say which requirement that is, and end with 1.
set -euo pipefail

program=$PWD/$1
shift
if [[ $# == 0 ]]; then
  echo "No case is to catch this mutant."
  exit 1
fi
# Only these are made of what the mutant has changed.
mutated=net_tcp,net_tcp_on_fake_kernel
status=0
for id in "$@"; do
  output=$("$program" --implementations=$mutated --cases="$id" --jobs=1 --verbose) && actual=0 || actual=$?
  requirement=$("$program" --explain="$id" | sed -n 's/^  requirement: //p')
  if [[ $actual == 1 && $output =~ (FAIL|CRASH)(", LEAK")?"  $id " && $output != *"PASS  $id "* &&
    $output == *"$requirement"* ]]; then
    echo "caught by $id: $requirement"
  else
    printf 'NOT CAUGHT by %s: exit status %s and:\n%s\n' "$id" "$actual" "$output"
    status=1
  fi
done
exit $status
