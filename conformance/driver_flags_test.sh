#!/usr/bin/env bash
# driver_flags_test.sh DRIVER_RUNNER DRIVER ROGUE: the program's flags for drivers, with a driver that works and one that
# misbehaves as it is told.
set -euo pipefail

program=$PWD/$1
driver=$PWD/$2
rogue="python3 $PWD/$3"
fast=listen.defaults.keepalive
failures=0
cd "$TEST_TMPDIR"

fail() {
  echo "FAILED: $1"
  failures=$((failures + 1))
}

# expect STATUS TEXT ARGS...: runs the program; it must end with STATUS and print TEXT (on either stream).
expect() {
  local status=$1 text=$2 output actual=0
  shift 2
  output=$("$program" "$@" 2>&1) || actual=$?
  if [[ $actual != "$status" || $output != *"$text"* ]]; then
    fail "$(printf '%s\n  expected status %s and "%s"\n  actual status %s and:\n%s' "$*" "$status" "$text" "$actual" "$output")"
  fi
}

expect 0 "1 cases, 2 trials" --driver="$driver" --cases=$fast
expect 0 "1 cases, 2 trials" --driver="$driver" --driver-stdio --cases=$fast
expect 0 "PASS  driver.close v4 driver" --driver="$driver" --smoke
expect 0 "14 ok, 0 failed" --driver="$driver" --check-driver
expect 0 "14 ok, 0 failed" --driver="$driver" --driver-stdio --check-driver
expect 0 "CONFORMANCE_READ_FD=3 CONFORMANCE_WRITE_FD=4 my driver 3<COMMANDS 4>ANSWERS" --driver="my driver" --print-command
expect 0 "CONFORMANCE_READ_FD=0 CONFORMANCE_WRITE_FD=1 my driver 0<COMMANDS 1>ANSWERS" --driver="my driver" \
  --driver-stdio --print-command

# What does not work at all is said once, and first.
expect 2 "its driver does not work" --driver=/nonexistent/driver --cases=$fast
expect 2 "/nonexistent/driver: not found" --driver=/nonexistent/driver --cases=$fast
expect 2 "cannot do anything" --driver="$rogue unsupported" --cases=$fast
expect 1 "nothing works" --driver=/nonexistent/driver --smoke
expect 1 "FAIL  answers \`internal\` to a socket that there is not" --driver="$rogue none" --check-driver
expect 1 "it does not answer" --driver="sleep 100" --check-driver

expect 2 "--check-driver: needs --driver" --check-driver
expect 2 "--fix: not with --cases" --driver="$driver" --fix --cases=$fast

# What was recorded is answered again in the same way; what was changed is not.
expect 0 "" --driver="$driver" --cases="$fast,data.*closed_descriptor" --record-session=session
expect 0 " sessions, 0 answered otherwise" --driver="$driver" --replay-session=session
sed 's/"ok":{"sent":[0-9]*}/"error":{"errno":"EPERM"}/' session > changed
expect 1 "then:" --driver="$driver" --replay-session=changed
expect 2 "--record is now --record-session" --driver="$driver" --record=session
expect 2 "--replay is now --replay-session" --driver="$driver" --replay=session
expect 2 "ENOENT" --driver="$driver" --replay-session=missing
echo "{}" > no_session
expect 2 "no_session:1: this is no recorded message" --driver="$driver" --replay-session=no_session

# The user starts the driver: what is printed can be typed.
mkdir attached
exec {messages}< <("$program" --driver="$driver" --attach=attached --cases=$fast 2>&1 > attach_report)
attached_program=$!
while IFS= read -r command <&"$messages"; do
  [[ $command != *CONFORMANCE_READ_FD* ]] || break
done
bash -c "$command" &
attached_driver=$!
wait $attached_program || fail "--attach: exit status $?"
wait $attached_driver || fail "--attach: the driver's exit status $?"
grep -q "2 trials" attach_report || fail "--attach: $(cat attach_report)"

exit $((failures > 0))
