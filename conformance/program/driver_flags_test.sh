#!/usr/bin/env bash
# driver_flags_test.sh DRIVER_RUNNER DRIVER ROGUE LEAKY: tests the program's flags for drivers with three drivers: one
# that works, one whose argument selects a fault, and one that leaks.
set -euo pipefail
source syscalls/testing/expect.sh

program=$PWD/$1
driver=$PWD/$2
rogue="python3 $PWD/$3"
leaky="python3 $PWD/$4 everywhere"
fast=listen.defaults.keepalive
tested=("$program")
cd "$TEST_TMPDIR"

# May run in the background.
fail() {
  printf '%s\n' "FAILED: $1" "${@:2}"
  touch failed
}

# Runs beside the tests that follow, because the driver hangs in some checks. All texts about it come from this run.
"$program" --driver="$rogue mixes" --check-driver > mixes 2>&1 &
check_of_mixes=$!

expect 0 "1 cases, 2 trials" --driver="$driver" --cases=$fast
expect 0 "1 cases, 2 trials" --driver="$driver" --driver-stdio --cases=$fast
expect 0 "PASS  driver.close v4 net_tcp_driver" --driver="$driver" --smoke
expect 0 "16 ok, 0 failed" --driver="$driver" --check-driver
expect 0 "16 ok, 0 failed" --driver="$driver" --driver-stdio --check-driver
expect 0 "CONFORMANCE_READ_FD=3 CONFORMANCE_WRITE_FD=4 my driver 3<COMMANDS 4>ANSWERS" --driver="my driver" --print-command
expect 0 "CONFORMANCE_READ_FD=0 CONFORMANCE_WRITE_FD=1 my driver 0<COMMANDS 1>ANSWERS" --driver="my driver" \
  --driver-stdio --print-command

# A driver that does not work at all is reported once, before the run.
expect 2 "driver: not run. Its driver failed" --driver=/nonexistent/driver --cases=$fast
expect 2 "/nonexistent/driver: not found" --driver=/nonexistent/driver --cases=$fast
expect 2 "cannot do anything" --driver="$rogue unsupported" --cases=$fast
expect 1 "the driver failed \`hello\`: " --driver=/nonexistent/driver --smoke

# The most common mistakes in a new driver are named before any timeout: the text says why no answer will come. (How many
# seconds that takes depends on the machine's load.) These runs mostly wait, so they run side by side.
for flags in --smoke --check-driver "--cases=$fast"; do
  status=1
  [[ $flags != --cases=* ]] || status=2
  expect $status " s: is the frame flushed? The driver is blocked in read(2)" \
    --driver="$rogue hello_unflushed" "$flags" &
  expect $status " s: is the length right, and the frame flushed?" --driver="$rogue hello_long" "$flags" &
  expect $status "it answered id 7, but the pending command is id 1 (hello)" --driver="$rogue hello_id" "$flags" &
done
expect 2 "the frame announces " --driver="$rogue hello_long" --cases=$fast &
expect 2 'sent:     ' --driver="$rogue hello_unflushed" --cases=$fast &
expect 2 '"command":"hello"' --driver="$rogue hello_unflushed" --cases=$fast &
expect 2 " s of processor time." --driver="$rogue hello_loops" --cases=$fast &
expect 1 "10 more checks were not run, because the driver hangs" --driver="$rogue hangs" --smoke &
expect 1 "no byte of an answer arrived within " --driver="sleep 100" --check-driver &
# shellcheck disable=SC2046 # a number each
wait $(jobs -p | grep --invert-match --line-regexp $check_of_mixes)

# The column gets the name in the driver's hello, if that is usable.
expect 1 "PASS  driver.listen v4 rogue" --driver="$rogue none" --smoke
expect 1 "PASS  driver.listen v4 driver" --driver="$rogue odd_name" --smoke
expect 0 "2 trials" --driver="$driver" --cases=$fast --records=records --junit=junit
grep -q '"implementation":"net_tcp_driver"' records || fail "records: $(cat records)"
grep -q '<testsuite name="net_tcp_driver"' junit || fail "junit: $(cat junit)"

# A leak does not stop the run, and does not change the outcome of the case.
expect 1 "1 cases, 2 trials" --driver="$leaky" --cases=$fast --records=leaks
expect 1 "PASS, LEAK  $fast v4" --driver="$leaky" --cases=$fast
expect 1 "PASS, LEAK  driver.listen v4" --driver="$leaky" --smoke
[[ $(grep -c '"outcome":"pass","leak":"leak"' leaks) == 2 ]] || fail "--records: $(cat leaks)"
echo "$fast  leak  # each listen keeps a socket" > leaky.expectations
expect 0 "expected-leak" --driver="$leaky" --cases=$fast --expectations=leaky.expectations
expect 1 "PASS, UNEXPECTED-NO-LEAK" --driver="$driver" --cases=$fast --expectations=leaky.expectations

expect 2 "--check-driver: needs --driver" --check-driver
expect 2 "--fix: cannot be combined with --cases" --driver="$driver" --fix --cases=$fast

# The driver answers a recording in the same way as before, but not a changed recording.
expect 0 "" --driver="$driver" --cases="$fast,data.*closed_descriptor" --record-session=session
expect 0 " sessions, 0 answered differently" --driver="$driver" --replay-session=session

# Commands that need the runner's peers, or an action of the runner, are named at once. The replay does not wait for
# their answers.
expect 0 "" --driver="$driver" --record-session=peers \
  --cases='accept.takes_what_is_queued,accept.interrupted.goes_on,accept.queue.*,peeraddr.connected,peeraddr.accepted'
expect 0 " sessions, 0 answered differently" --driver="$driver" --replay-session=peers
expect 0 "(accept)" --driver="$driver" --replay-session=peers
expect 0 "needs a peer of the runner; not compared" --driver="$driver" --replay-session=peers
expect 0 "needs the runner: sent a signal; not compared" --driver="$driver" --replay-session=peers
sed 's/"ok":{"sent":[0-9]*}/"error":{"errno":"EPERM"}/' session > changed
expect 1 "then:" --driver="$driver" --replay-session=changed
expect 2 "--record is now --record-session" --driver="$driver" --record=session
expect 2 "--replay is now --replay-session" --driver="$driver" --replay=session
expect 2 "ENOENT" --driver="$driver" --replay-session=missing
echo "{}" > no_session
expect 2 "no_session:1: not a recorded message" --driver="$driver" --replay-session=no_session

# --attach prints a command that starts the driver.
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

# An attached driver that names another process is not believed. The program asks for a new driver for each trial.
mkdir lying
exec {messages}< <("$program" --driver="$rogue hello.pid=1" --attach=lying --cases=$fast 2>&1 > lying_report)
attached_program=$!
while IFS= read -r command <&"$messages"; do
  [[ $command != *CONFORMANCE_READ_FD* ]] || bash -c "$command" || true # The driver may die of SIGPIPE.
done
status=0
wait $attached_program || status=$?
[[ $status == 1 ]] || fail "--attach, hello.pid=1: exit status $status"
lie="hello names process 1, which is not one of the driver's processes"
for text in "$lie" "^2 trials: 2 crash\."; do
  grep -q "$text" lying_report || fail "--attach, hello.pid=1: no '$text' in: $(cat lying_report)"
done

# Where no PID namespace can be made, the driver's processes are those that descend from it.
cat > without_pid_namespace << END
#!/usr/bin/env bash
exec unshare --user --map-root-user bash -c '
  echo 0 > /proc/sys/user/max_pid_namespaces || exit 3
  ! unshare --pid true 2> /dev/null || exit 4
  exec "\$@"' without_pid_namespace "$program" "\$@"
END
chmod +x without_pid_namespace
if ./without_pid_namespace --help > /dev/null; then
  tested=("$PWD/without_pid_namespace")
  expect 0 "2 trials: 2 pass" --driver="$driver" --cases=$fast
  expect 2 "$lie" --driver="$rogue hello.pid=1" --cases=$fast
  expect 2 "hello names process" --driver="$rogue hello.pid=PARENT" --cases=$fast
else
  echo "Not tested: the run without PID namespaces, because no user namespace can be made here."
fi

# A failed check prints the bytes sent and received.
status=0
wait $check_of_mixes || status=$?
checked=$(< mixes)
[[ $status == 1 ]] || fail "--check-driver of a driver with faults: exit status $status"
for text in "FAIL  answers \`internal\` to an unknown socket number" '"command":"peeraddr"' 'received: 19\n{"id": 2, "ok": {}}' \
  "it answered id 102, which is not pending; pending: 103"; do
  [[ $checked == *"$text"* ]] || fail "--check-driver: no '$text' in:"$'\n'"$checked"
done

[ ! -e failed ]
