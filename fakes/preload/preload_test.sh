#!/usr/bin/env bash
# preload_test.sh ON_FAKE_KERNEL CALLS SERVER_TEST STATIC_PROGRAM ASYNCIO_TEST EXPORTS RAW_SOCKET: runs unmodified programs on
# a FakeKernel, and on Linux what is to have the same results there. EXPORTS is exports.lds.
set -euo pipefail

on_fake=$PWD/$1
calls=$PWD/$2
server_test=$PWD/$3
static_program=$PWD/$4
asyncio_test=$PWD/$5
exports=$PWD/$6
raw_socket=$PWD/$7
source "$(dirname "$0")/expect.sh"
cd "$TEST_TMPDIR"

# Programs, threads, virtual time.
expect 0 "all results are right" "$on_fake" -- "$calls"
expect 0 "PASSED  ] 4 tests" "$on_fake" -- "$server_test"
if command -v python3 > /dev/null; then
  expect 0 "OK" "$on_fake" -- python3 -W error "$asyncio_test"
  start=$SECONDS
  expect 0 "timed out after 131 s" "$on_fake" --link='* <-> 127.0.0.2 cut' -- python3 -c '
import socket, time
start = time.time()
try:
    socket.create_connection(("127.0.0.2", 80))
except TimeoutError:
    print("timed out after", round(time.time() - start), "s")'
  ((SECONDS - start < 60)) || fail "131 s of virtual time took $((SECONDS - start)) s"
  # getaddrinfo(3) has sockets of its own, which are Linux's.
  expect 0 "connected to 127.0.0.1" "$on_fake" -- python3 -c '
import socket
with socket.create_server(("127.0.0.1", 80)), socket.create_connection(("localhost", 80)) as client:
    print("connected to", client.getpeername()[0])'
fi

# What is to be the same on Linux is.
expect 0 "all results are right" "$calls"
expect 0 "PASSED  ] 3 tests" "$server_test" --gtest_filter=-*Idle*

# The options have effects.
expect 1 "Cannot assign requested address" "$on_fake" --plan='bind=EADDRNOTAVAIL' -- "$server_test" --gtest_filter=*Lines*
expect 0 "connect(" "$on_fake" --trace=- -- "$server_test" --gtest_filter=*Lines*
expect 1 "FAILED  ] EpollServerTest.ServesManyAtATime" "$on_fake" --link='* <-> * delay=20s' -- "$server_test"
# All at once: the server accepts when it has descriptors again, and a client that is cut off holds nobody up.
cut=("$on_fake" --plan='accept4=EMFILE*2' --link='* <-> 127.0.0.9 cut')
expect 0 "PASSED  ] 4 tests" "${cut[@]}" -- "$server_test"
expect 0 "SO_ERROR, ETIMEDOUT" "${cut[@]}" --trace=- -- "$server_test"
expect 0 "NULL, NULL, SOCK_NONBLOCK) = -1 EMFILE" "${cut[@]}" --trace=- -- "$server_test"
for run in 1 2; do
  "$on_fake" --seed=1 --trace="trace$run" -- "$server_test" > /dev/null
  "$on_fake" --seed=2 --trace=other -- "$server_test" > /dev/null
  cmp trace1 "trace$run" || fail "two runs with one seed differ"
done
if cmp -s trace1 other || ! [[ -s trace1 ]]; then
  fail "another seed gave the same order"
fi

# What cannot run is named.
expect 2 "is linked statically" "$on_fake" -- "$static_program"
expect 2 "on_fake_kernel --shared runs all processes on one" "$on_fake" -- "$calls" fork
expect 2 "use on_fake_kernel --shared" "$on_fake" -- "$calls" exec
expect 2 "syscall(SYS_socket)" "$on_fake" -- "$calls" raw
expect 2 "makes the system call socket(2) itself" "$on_fake" -- "$raw_socket"
expect 0 "" "$raw_socket"
expect 0 "" "$on_fake" --shared -- "$calls" fork
expect 2 "--link: 'los=1'" "$on_fake" --link='* <-> * los=1' -- "$calls"
expect 2 "did you mean '--seed'" "$on_fake" --sed=1 -- "$calls"
expect 2 "no COMMAND" "$on_fake" --seed=1
expect 127 "not found" "$on_fake" -- ./no_such_program
expect 0 "usage: on_fake_kernel" "$on_fake" --help
printf 'package main\n' > script && chmod +x script
expect 2 "neither an ELF program nor a script" "$on_fake" -- ./script
{ cat /bin/true && printf 'Go\0\0 Go build ID: "a/b"'; } > go_program && chmod +x go_program
expect 2 "is a Go program" "$on_fake" -- ./go_program
cp /bin/true set_user_id && chmod u+s set_user_id
if unshare --user --map-user=1000 true; then
  expect 2 "is set-user-ID or set-group-ID" unshare --user --map-user=1000 "$on_fake" -- ./set_user_id
fi
expect 0 "" "$on_fake" -- ./set_user_id

# A function in the list without a hook would be the C library's. (Symbols of C++ that the linker must keep unique, or that
# libstdc++ has, too, stay visible.)
library=$(dirname "$(readlink -f "$on_fake")")/libnet_fake.so
nm -D --defined-only "$library" | awk '{ print $3 }' | grep -v '^_Z' | sort > exported
sed 's,/[*].*[*]/,,' "$exports" | grep -o '[a-z0-9_]\+;' | tr -d ';' | sort > listed
if ! diff listed exported; then
  fail "exports.lds and the hooks differ"
fi

[[ $failures == 0 ]]
