#!/usr/bin/env bash
# An implementation behind the driver protocol (--isolate) has the outcomes that it has in the trial's process, except
# for what a driver cannot do.
set -euo pipefail

program=$PWD/$1
cd "$TEST_TMPDIR"

# All but faults.*: cases that inject faults run behind a driver anyway.
cases='listen.*,connect.*,accept.*,peeraddr.*,localaddr.*,data.*,close.*,descriptors.*'
# The two runs mostly wait, so they run side by side.
for isolate in --noisolate --isolate; do
  "$program" --implementations=net_tcp,asio,libuv --cases="$cases" --jobs=8 --timeout=5m $isolate --records="records$isolate" > "report$isolate" || {
    cat "report$isolate"
    touch failed
  } &
done
wait
[ ! -e failed ]

python3 - records--noisolate records--isolate <<'END'
import json
import sys

# Why a case is not judged behind a driver.
LIMITS = {"a driver runs as one user", "the protocol has no null pointers", "the protocol shuts down read, write or both"}


def records(path):
    with open(path, encoding="utf-8") as file:
        lines = [json.loads(line) for line in file]
    return {(line["case"], line["axis"], line["implementation"]): line for line in lines if "case" in line}


within, behind = (records(path) for path in sys.argv[1:])
assert within.keys() == behind.keys() and len(within) > 1000, (len(within), len(behind))
different = [
    f"{cell}: {one['outcome']} in the trial's process, {behind[cell]['outcome']} behind a driver: {behind[cell]['message']}"
    for cell, one in within.items()
    if one["outcome"] != behind[cell]["outcome"]
    and behind[cell]["message"] not in LIMITS
]
print("\n".join(different) or f"{len(within)} trials have equal outcomes")
sys.exit(bool(different))
END
