#!/usr/bin/env bash
# tutorial_test.sh CONFORMANCE ASSEMBLE README: builds the driver of README.md step by step, and compares the program's
# output with the ```text blocks of the steps.
set -euo pipefail

program=$PWD/$1
assemble=$PWD/$2
readme=$PWD/$3
failures=0
cd "$TEST_TMPDIR"

# expect STATUS LINES ARGS...: runs the program with ARGS for my_driver.py. It must exit with STATUS and print each of
# LINES.
expect() {
  local status=$1 lines=$2 output actual=0 line
  shift 2
  output=$("$program" --driver="python3 my_driver.py" "$@" 2>&1) || actual=$?
  while IFS= read -r line; do
    if [[ $actual != "$status" || $output != *"$line"* ]]; then
      printf 'FAILED: %s %s\n  expected status %s and "%s"\n  actual status %s and:\n%s\n' \
        "$step" "$*" "$status" "$line" "$actual" "$output"
      failures=$((failures + 1))
    fi
  done <<< "$lines"
}

# texts STEP: prints the ```text blocks of a step.
texts() {
  awk -v heading="^## $1[.] " '
    /^## / { inside = $0 ~ heading }
    $0 == "```" { text = 0 }
    inside && text { print }
    $0 == "```text" { text = 1 }' "$readme"
}

passing=""
for step in 1 2 3 4 5 6 7 8 9 10; do
  python3 "$assemble" "$readme" "$step" > my_driver.py
  new=$(texts "$step")
  if [[ $step == 1 ]]; then
    expect 1 "$new" --smoke
    continue
  fi
  # The lines of a step must not appear before that step, and must appear after it.
  passing=$passing${passing:+${new:+$'\n'}}$new
  expect $((step < 9)) "$passing" --smoke # the last smoke case passes with step 9
  if [[ -n $new ]]; then
    python3 "$assemble" "$readme" $((step - 1)) > my_driver.py
    output=$("$program" --driver="python3 my_driver.py" --smoke 2>&1) || true
    while IFS= read -r line; do
      if [[ $output == *"$line"* ]]; then
        echo "FAILED: step $step says that it brings '$line', which was there before"
        failures=$((failures + 1))
      fi
    done <<< "$new"
  fi
done

step=Judge
python3 "$assemble" "$readme" > my_driver.py
if [[ $(wc -l <<< "$passing") != 12 ]]; then
  echo "FAILED: README.md names other smoke cases than the twelve: $passing"
  failures=$((failures + 1))
fi
expect 0 "CONFORMANCE_READ_FD=3 CONFORMANCE_WRITE_FD=4 python3 my_driver.py" --print-command
expect 0 "16 ok, 0 failed" --check-driver
# The driver holds one operation at a time. None of these cases may hang.
expect 0 "data" --cases='listen.address.*,accept.not_*,peeraddr.*,data.recv.*,data.large.both_ways,close.*'

exit $((failures > 0))
