#!/usr/bin/env bash
# The program //conformance as people use it: flags, exit statuses, files.
set -euo pipefail

program=$PWD/$1
fast=listen.backlog.default
failures=0

# expect STATUS TEXT ARGS...: runs the program; it must end with STATUS and
# print TEXT (on either stream).
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

expect 0 "Judges TCP implementations" --help
expect 0 "$fast" --list
expect 0 '"case": "listen.backlog.default"' --list --format=json
expect 0 "requirement:" --explain=$fast
expect 0 "1 cases, 2 trials: 1 on IPv4, 1 on IPv6" --cases=$fast
expect 0 "1 cases, 6 trials" --cases=$fast --repeat=3 --jobs=3
expect 0 "PASS  $fast v4 net_tcp" --cases=$fast --verbose
expect 0 "pass" --cases=$fast --implementations=net_tcp
expect 0 "precondition" --cases=$fast --noipv6

expect 2 "no case matches 'lisen.*'" --cases='lisen.*'
expect 2 "no implementation is named 'nobody'; there are: net_tcp" --implementations=nobody
expect 2 "there is no case 'nothing'" --explain=nothing
expect 2 "there is no flag '--nonsense'" --nonsense
expect 2 "'word' is not a flag" word
expect 2 "--jobs" --jobs=0
expect 2 "--jobs=many" --jobs=many
expect 2 "--repeat" --repeat=0
expect 2 "--timeout" --timeout=0s
expect 2 "--format=xml" --list --format=xml
expect 2 "cannot write '/nowhere/records'" --cases=$fast --records=/nowhere/records
expect 2 "cannot write '/dev/full'" --cases=$fast --records=/dev/full

# A case that is killed because it takes too long is unexpected, and named. (This
# one waits for seconds until the kernel gives up.)
expect 1 "TIMEOUT  connect.timed_out v4 net_tcp" --cases=connect.timed_out --timeout=10ms

# Relative paths are the caller's, also when `bazel run` starts it elsewhere.
mkdir -p "$TEST_TMPDIR/caller"
export BUILD_WORKING_DIRECTORY=$TEST_TMPDIR/caller
expect 0 "pass" --cases=$fast --records=records.jsonl
unset BUILD_WORKING_DIRECTORY
lines=$(wc -l <"$TEST_TMPDIR/caller/records.jsonl")
if [[ $lines != 3 ]] || ! head -1 "$TEST_TMPDIR/caller/records.jsonl" | grep -q '^{"environment":'; then
  echo "FAILED: records.jsonl: the environment and two records expected"
  failures=$((failures + 1))
fi

exit $((failures > 0))
