#!/usr/bin/env bash
# no_seccomp_test.sh RUNNER DRIVER WITHOUT_SECCOMP: where a driver cannot be trapped, the outcome of faults.* is
# `precondition`, and the reason is printed. Other cases run.
set -euo pipefail

runner=$PWD/$1
driver=$PWD/$2
without_seccomp=$PWD/$3
cd "$TEST_TMPDIR"

# expect REFUSAL REASON: runs the cases where seccomp(2) is refused in that way (see without_seccomp.c).
expect() {
  local refusal=$1 reason=$2
  "$without_seccomp" "$refusal" "$runner" --driver="$driver" --cases='faults.*,listen.defaults.*' \
    --records="records.$refusal" > "report.$refusal" || {
    cat "report.$refusal"
    exit 1
  }
  grep -F "$reason" "report.$refusal" > /dev/null || {
    echo "not in the report: $reason"
    cat "report.$refusal"
    exit 1
  }
  python3 - "records.$refusal" "$reason" << 'END'
import json
import sys

path, reason = sys.argv[1:]
with open(path, encoding="utf-8") as file:
    trials = [line for line in map(json.loads, file) if "case" in line]
faults = [trial for trial in trials if trial["case"].startswith("faults.")]
others = [trial for trial in trials if trial not in faults]
assert len(faults) > 100 and others, (len(faults), len(others))
wrong = [trial for trial in faults if (trial["outcome"], trial["message"]) != ("precondition", reason)]
wrong += [trial for trial in others if trial["outcome"] != "pass"]
for trial in wrong:
    print(f"{trial['case']} {trial['axis']}: {trial['outcome']}: {trial['message']}")
sys.exit(bool(wrong))
END
}

expect 1 "seccomp: EPERM: Operation not permitted (a sandbox forbids filters with a listener)"
expect 38 "seccomp: ENOSYS: Function not implemented (a sandbox forbids filters with a listener)"
expect listener "seccomp: EBUSY: Device or resource busy (this process has a filter with a listener already, and a \
process can have only one)"
