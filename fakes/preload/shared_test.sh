#!/usr/bin/env bash
# shared_test.sh ON_FAKE_KERNEL PROCESSES STATIC_PROGRAM SIGNALS RIGHTS TIMERS PROGRAMS: runs trees of unmodified processes on one FakeKernel,
# and on Linux what is to have the same results there.
set -euo pipefail

on_fake=$PWD/$1
processes=$PWD/$2
static_program=$PWD/$3
signals=$PWD/$4
rights=$PWD/$5
timers=$PWD/$6
programs=$PWD/$7
source "$(dirname "$0")/expect.sh"
cd "$TEST_TMPDIR"

# Processes that fork, execute, send signals, and share sockets; what is to be the same on Linux is.
for program in "$processes" "$programs" "$signals" "$rights" "$timers"; do
  expect 0 "all results are right" "$program"
  for seed in 1 2 3; do
    expect 0 "all results are right" "$on_fake" --shared --seed="$seed" -- "$program"
    expect 0 "all results are right" "$on_fake" --seed="$seed" -- "$program"
  done
done
# An hour takes milliseconds, although the parent is in waitpid(2).
expect 0 "all results are right" "$on_fake" --shared -- "$processes" hour
expect 0 "all results are right" "$on_fake" --shared -- "$timers" hour

# The FakeKernel of a process moves to a server when the process forks first. Each check begins without a server.
for check in forking_server shared_descriptor killed_process reset_at_exit pipe_signal threads_of_child \
  fork_while_threads_wait pipe_after_sleep shared_memory terminal hour; do
  expect 0 "all results are right" "$on_fake" -- "$processes" "$check"
done
for check in executed_by_fork executed_by_spawn streams epoll_over_exec shells execute; do
  expect 0 "all results are right" "$on_fake" -- "$programs" "$check"
done
for check in other_thread child_ends other_process wait_interrupted; do
  expect 0 "all results are right" "$on_fake" -- "$signals" "$check"
done
for check in alarm_over_exec hour; do
  expect 0 "all results are right" "$on_fake" -- "$timers" "$check"
done
# The first program executes another one, which gets its alarm.
expect 142 "" "$on_fake" -- "$timers" execute
"$on_fake" --trace=moved -- "$processes" forking_server
expect 0 'processes[4]: write(' grep '"HELLO", 5) = 5' moved
expect 0 "" grep '^socket(' moved
# The server ends with the tree, and keeps nothing open that the command has opened.
expect 0 "nothing is left" bash -c '[[ -z $("$@" 2>&1) ]] && echo nothing is left' bash "$on_fake" -- sh -c '(sleep 1); sleep 1'

# A signal from outside of the tree. Standard input is never ready.
mkfifo never
exec 9<> never
for flag in --shared --seed=1; do
  mkfifo "fifo$flag"
  "$on_fake" "$flag" -- "$signals" from_outside > "fifo$flag" <&9 &
  {
    read -r pid
    kill "$pid"
    expect 0 "all results are right" cat
  } < "fifo$flag"
  wait $!
done

# The options have effects in each process.
expect 1 "Too many open files" "$on_fake" --shared --plan='accept=EMFILE' -- "$processes" forking_server
expect 1 "Connection timed out" "$on_fake" --shared --link='* <-> * cut' -- "$processes" forking_server
for run in 1 2; do
  "$on_fake" --shared --trace="trace$run" -- "$processes" forking_server
  cmp trace1 "trace$run" || fail "two runs with one seed differ"
done
expect 0 'processes[4]: write(' grep '"HELLO", 5) = 5' trace1

# The kernel closes what is close-on-exec, not the new program.
"$on_fake" --shared --trace=executed -- "$programs" executed_by_fork > /dev/null
if grep 'programs\[2\]: close(' executed; then
  fail "the executed program closed a descriptor"
fi

# A program that does not load the library is Linux's. Virtual time passes meanwhile.
expect 0 "all results are right" "$on_fake" --shared -- sh -c '"$0" & sleep 60; wait $!' "$static_program"

# Time does not pass while a process can still make a pipe ready, however slow it is: a native wait of 0.1 ms is over before
# any program has started.
expect 0 "a b 0 s" "$on_fake" --native-wait=100us -- sh -c '
  (text=$(sh -c "echo a" | sh -c "cat; echo b" | sh -c cat)
   echo $text $(($(date +%s) - 1577836800)) s) &
  sleep 5'

# The end of the command is that of its tree.
expect 3 "" "$on_fake" --shared -- sh -c 'exit 3'
expect 143 "" "$on_fake" --shared -- sh -c 'kill $$'

# What the command leaves behind ends with it, and is not told that its kernel is gone.
expect 0 "nothing is left" bash -c '[[ -z $("$@" 2>&1) ]] && echo nothing is left' bash "$on_fake" --shared -- \
  sh -c 'sleep 1000000 & sleep 1'
echo "getsockopt(2): $("$on_fake" --shared -- "$processes" loop 20000)"

if has curl curl && has python3 python3; then
  mkdir -p served
  seq 100000 > served/numbers
  # sleep(1) is virtual; curl finds the server after it.
  expect 0 "same" "$on_fake" --shared -- sh -c '
    python3 -m http.server --bind 127.0.0.1 --directory served 8080 > log 2>&1 &
    sleep 1
    curl --silent --show-error http://127.0.0.1:8080/numbers > got
    curl --silent --head http://127.0.0.1:8080/none | grep -q 404 && cmp got served/numbers && echo same
    kill $!'
fi

if has redis-server redis-server && has redis-cli redis-tools; then
  start=$SECONDS
  # BLPOP waits for 60 s of virtual time. redis-server polls a pipe, which is native.
  expect 0 "$(printf 'OK\nvalue\n\nelement\n0')" "$on_fake" --shared --native-wait=1ms -- sh -c '
    redis-server --port 6379 --save "" --appendonly no > redis_log 2>&1 &
    sleep 1
    redis-cli set key value
    redis-cli get key
    redis-cli blpop list 60
    (sleep 30; redis-cli rpush list element > pushed) &
    redis-cli blpop list 60 | tail -1
    redis-cli shutdown nosave
    wait
    echo $?'
  if ((SECONDS - start > 45)); then
    fail "90 s of virtual time took $((SECONDS - start)) s"
  fi
fi

[[ $failures == 0 ]]
