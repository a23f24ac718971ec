#!/usr/bin/env bash
# shared_test.sh ON_FAKE_KERNEL PROCESSES STATIC_PROGRAM: runs trees of unmodified processes on one FakeKernel, and on Linux
# what is to have the same results there.
set -euo pipefail
source "$(dirname "$0")/expect.sh"

on_fake=$PWD/$1
processes=$PWD/$2
static_program=$PWD/$3
cd "$TEST_TMPDIR"

# Processes that fork, execute, and share sockets; what is to be the same on Linux is.
expect 0 "all results are right" "$on_fake" --shared -- "$processes"
expect 0 "all results are right" "$processes"
for seed in 2 3 4 5; do
  expect 0 "all results are right" "$on_fake" --shared --seed="$seed" -- "$processes"
done
# An hour takes milliseconds, although the parent is in waitpid(2).
expect 0 "all results are right" "$on_fake" --shared -- "$processes" hour

# The options have effects in each process.
expect 1 "Too many open files" "$on_fake" --shared --plan='accept=EMFILE' -- "$processes" forking_server
expect 1 "Connection timed out" "$on_fake" --shared --link='* <-> * cut' -- "$processes" forking_server
for run in 1 2; do
  "$on_fake" --shared --trace="trace$run" -- "$processes" forking_server
  cmp trace1 "trace$run" || fail "two runs with one seed differ"
done
expect 0 'processes[4]: write(' grep '"HELLO", 5) = 5' trace1

# The kernel closes what is close-on-exec, not the new program.
"$on_fake" --shared --trace=executed -- "$processes" executed_by_fork > /dev/null
if grep 'processes\[2\]: close(' executed; then
  fail "the executed program closed a descriptor"
fi

# A program that does not load the library is Linux's. Virtual time passes meanwhile.
expect 0 "all results are right" "$on_fake" --shared -- sh -c '"$0" & sleep 60; wait $!' "$static_program"

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

# One list of functions is for both libraries.
library=$(dirname "$(readlink -f "$on_fake")")
diff <(nm -D --defined-only "$library/libnet_fake.so" | awk '{ print $3 }' | grep -v '^_Z' | sort) \
  <(nm -D --defined-only "$library/libnet_fake_shared.so" | awk '{ print $3 }' | grep -v '^_Z' | sort) ||
  fail "the libraries define different functions"

[[ $failures == 0 ]]
