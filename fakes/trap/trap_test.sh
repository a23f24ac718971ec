#!/usr/bin/env bash
# trap_test.sh TRAP CYCLE SERVER PYTHON3 PREEMPT WITHOUT_SECCOMP: tests the program trap as people use it: flags, exit
# statuses, traces, sweeps. The programs that it traps: a static C program, a Python program, and a Go program if there
# is a Go compiler.
set -euo pipefail
source syscalls/testing/expect.sh

trap=$PWD/$1
cycle=$PWD/$2
server=$PWD/$3
python3=$4
preempt=${5:+$PWD/$5}
without_seccomp=$PWD/$6
work=$(mktemp -d)
tested=("$trap")

if ! "$trap" -- true; then
  echo "precondition: nothing can be trapped here"
  exit 0
fi

# The command line.
expect 0 "usage: trap" --help
expect 2 "no '-- COMMAND'" --plan=listen=EIO
expect 2 "there is no flag '--plam=x'" --plam=x -- true
expect 2 "--plan: column 9" --plan='accept4#=EMFILE' -- true
expect 2 "--sweep makes its own plans" --sweep --trace -- true
expect 2 "--control-fd=77: Bad file descriptor" --control-fd=77 -- true

# Exit statuses.
expect 0 "" -- true
expect 3 "" -- sh -c 'exit 3'
expect 137 "" -- sh -c 'kill -9 $$'
expect 124 "killed after --timeout" --timeout=100ms -- sleep 1000
expect 125 "'accept4=EMFILE' applied to no call" --plan=accept4=EMFILE -- true
expect 125 "precondition: seccomp: EBUSY" -- "$trap" -- true
expect 126 "EACCES" -- "$server"
expect 127 "ENOENT" -- /does/not/exist

# Where seccomp(2) is forbidden.
status=0
output=$("$without_seccomp" 1 "$trap" -- true 2>&1) || status=$?
[[ $status == 125 && $output == *"precondition: seccomp: EPERM"* ]] || fail "without seccomp(2)" "status $status" "$output"

# A plan.
expect 1 "cycle: Address already in use" --plan='listen=EADDRINUSE' -- "$cycle"
expect 0 "" --plan='recv=delay(1ms)' -- "$cycle"

# Traces.
expect 0 ', "hello", 5, MSG_NOSIGNAL) = 5' --trace -- "$cycle"
expect 1 "= -1 EMFILE (INJECTED)" --trace --plan=accept4=EMFILE -- "$cycle"
expect 0 "" --trace-file="$work/trace" --record="$work/record" -- "$cycle"
grep -q '^listen([0-9]*, 4) = 0$' "$work/trace" || fail "--trace-file" "$(cat "$work/trace")"
grep -q '^trace 1$' "$work/record" || fail "--record" "$(cat "$work/record")"

# A sweep of the static C program, which leaks a socket if accept4 fails with EMFILE. As another user, too, where there
# is one: not in Bazel's sandbox.
check_cycle() {
  local table
  table=$("$@" "$trap" --sweep -- "$cycle" 2> "$work/progress") || fail "$* --sweep -- cycle" "$(cat "$work/progress")"
  for row in 'socket#1=EMFILE +exit status 1$' 'socket#2=EMFILE +exit status 1$' 'accept4#1=EMFILE +exit status 1 +\+1$' \
    '^Without faults: exit status 0, 0 sockets open at the end.$' '1 with more sockets open at the end.$'; do
    grep -Eq "$row" <<< "$table" || fail "$* --sweep -- cycle: no row '$row'" "$table"
  done
  grep -q '^1/[0-9]* socket#1=' "$work/progress" || fail "no progress" "$(cat "$work/progress")"
}
check_cycle env
as_nobody=(setpriv --reuid=65534 --regid=65534 --clear-groups)
if "${as_nobody[@]}" "$trap" --help > "$work/help" 2>&1; then check_cycle "${as_nobody[@]}"; fi
expect 125 "made no call on a TCP socket" --sweep -- true
# By default the second socket gets faults, too.
table=$("$trap" --sweep --occurrences=1 -- "$cycle" 2> "$work/progress") || fail "--occurrences" "$(cat "$work/progress")"
[[ $table == *"socket#1="* && $table != *"socket#2="* ]] || fail "--occurrences=1" "$table"

# A sweep of the Python program, which repeats accept for ever.
table=$("$trap" --sweep --timeout=60s -- "$python3" -I -S "$server" 2> "$work/progress") ||
  fail "--sweep -- server.py" "$(cat "$work/progress")"
for row in 'bind#1=EADDRINUSE +exit status 1$' 'accept4#1=EMFILE +retried$' 'recv!#1=EINTR +retried$' \
  'accept4#1=EFAULT +exit status 3 '; do
  grep -Eq "$row" <<< "$table" || fail "--sweep -- server.py: no row '$row'" "$table"
done

# A program that waits for a connection that a failing accept4 has taken.
waits='import socket
with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()):
    while True:
        try:
            server.accept()
            break
        except OSError:
            pass'
table=$("$trap" --sweep --timeout=3s -- "$python3" -I -S -c "$waits" 2> "$work/progress") ||
  fail "--sweep -- python3 -c '$waits'" "$(cat "$work/progress")"
grep -Eq 'accept4#1=EFAULT +hang ' <<< "$table" || fail "--sweep: no hang" "$table"

# A program that still makes calls when its time is over does not hang. One that makes none and computes does.
busy='import socket, time
with socket.socket() as one:
    for _ in range(160):
        one.getsockname()
        time.sleep(0.05)'
table=$("$trap" --sweep --occurrences=1 --timeout=6s -- "$python3" -I -S -c "$busy" 2> "$work/progress") ||
  fail "--sweep -- python3 -c '$busy'" "$(cat "$work/progress")"
[[ $table != *hang* ]] || fail "--sweep: a hang" "$table"
spins='import errno, socket
try:
    socket.socket()
except OSError as error:
    while error.errno == errno.EMFILE: pass'
table=$("$trap" --sweep --occurrences=1 --timeout=2s -- "$python3" -I -S -c "$spins" 2> "$work/progress") ||
  fail "--sweep -- python3 -c '$spins'" "$(cat "$work/progress")"
grep -Eq 'socket#1=EMFILE +hang$' <<< "$table" || fail "--sweep: no hang" "$table"
grep -Eq 'socket#1=ENFILE +handled$' <<< "$table" || fail "--sweep: a hang" "$table"

# Go preempts with SIGURG. The count is right all the same.
if [[ -n $preempt ]]; then
  for _ in {1..5}; do expect 0 "100 too many open files" --plan='accept4#100=EMFILE' -- "$preempt"; done
fi

rm -rf "$work"
[[ $failures == 0 ]]
