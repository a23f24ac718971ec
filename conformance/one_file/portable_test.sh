#!/usr/bin/env bash
# The portable program: some cases with and without fork(2), with nothing but the program, and a difference that is
# planted in the list to compare with.
set -euo pipefail
portable="$PWD/$1"
cd "$TEST_TMPDIR"
fail() {
  echo "FAILED: $1"
  # Leaves out the passed trials: CI cuts long output in the middle.
  grep --invert-match '"outcome":"pass"' out || true
  cat err
  exit 1
}

# One file: no libraries, at most 6 MB.
[ "$(stat -Lc %s "$portable")" -le 6000000 ] || { echo "FAILED: $(stat -Lc %s "$portable") bytes"; exit 1; }
if ldd "$portable" > out 2>&1; then
  touch err
  fail "it is not statically linked"
fi

# Runs the program in an empty environment, and checks its last lines.
run() { # STATUS FLAG...
  local expected=$1 status=0
  shift
  env -i "$portable" "$@" > out 2> err || status=$?
  [ "$status" = "$expected" ] || fail "exit status $status of '$*', not $expected"
  [[ $(tail -n 1 out) == '{"summary":{"kernel":"Linux '* ]] || fail "'$*' does not end with a summary"
}
# Prints a number or a string of the summary.
summary() { # NAME
  tail -n 1 out | sed 's/.*"'"$1"'":"\?\([^",]*\).*/\1/'
}

# The kinds of cases: blocked calls, signals, descriptor limits, sysctls, another user, IPv6.
cases='kernel.listen.*,kernel.accept.*'

run 0 --cases="$cases" --write-recorded=list
trials=$(summary trials)
hash=$(summary list)
[ "$trials" -ge 36 ] || fail "only $trials trials"
[[ $hash =~ ^[0-9a-f]{8}$ ]] || fail "no hash: $hash"
[ "$(grep -c '^{"case":' out)" = "$trials" ] || fail "not a line for each trial"
[ "$(summary not_recorded)" = 0 ] || fail "trials are missing in the list of the program"
grep -q "^$trials trials: .*(list $hash)$" err || fail "no counts and hash for people"

# A trial that needs what the sandbox lacks is a precondition in both ways of running. The others pass in both.
run 0 --cases="$cases" --nofork
[ "$(summary trials)" = "$trials" ] || fail "--nofork: $(summary trials) trials, not $trials"
[ "$(summary list)" = "$hash" ] || fail "--nofork: list $(summary list), not $hash"
[ "$(grep -c '"outcome":"pass"' out)" -ge $((trials / 2)) ] || fail "--nofork: fewer than half pass"

# A planted difference.
first=$(sed -n '2s/ .*//p' list)
sed '2s/pass/fail/' list > planted
run 1 --cases="$cases" --recorded=planted
grep -q "^differs from Linux .*: $first v4 linux: pass instead of fail$" err || fail "the planted difference is not shown"
grep -q '"different":\[{"case":"'"$first"'","axis":"v4","recorded":"fail","outcome":"pass"}' out ||
  fail "the planted difference is not in the summary"
