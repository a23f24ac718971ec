#!/usr/bin/env bash
# Tests the program //conformance as people use it: flags, exit statuses, files.
set -euo pipefail
source syscalls/testing/expect.sh

program=$PWD/$1
fast=listen.backlog.default
kernel=kernel.bind.twice
tested=("$program")

expect 0 "Judges TCP implementations" --help
expect 0 "$fast" --list
expect 0 '"case": "listen.backlog.default"' --list --format=json
expect 0 "requirement:" --explain=$fast
expect 0 "1 cases, 2 trials: 1 on IPv4, 1 on IPv6" --cases=$fast --implementations=net_tcp
expect 0 "1 cases, 6 trials" --cases=$fast --implementations=net_tcp --repeat=3 --jobs=3
expect 0 "in the order of --shuffle --seed=7" --cases=$fast --implementations=net_tcp --shuffle --seed=7
expect 0 "in the order of --shuffle --seed=" --cases=$fast --implementations=net_tcp --shuffle
expect 2 "--seed: needs --shuffle" --cases=$fast --implementations=net_tcp --seed=7
expect 0 "PASS  $fast v4 net_tcp" --cases=$fast --implementations=net_tcp --verbose
expect 0 "2 trials: 2 pass. Exit status 0: all is as expected. Each trial in full: $program --cases=$fast --implementations=net_tcp --verbose" \
  --cases=$fast --implementations=net_tcp
expect 0 "precondition: 1 trials" --cases=$fast --implementations=net_tcp --noipv6
expect 0 "precondition" --cases=$fast --implementations=net_tcp --noipv6

# A case runs only for the columns that are judged by its table.
expect 0 "1 cases, 4 trials" --cases=$kernel
expect 0 "kernel.bind" --cases=$kernel --implementations=linux
expect 0 "2 cases, 4 trials" --cases=$fast,$kernel --implementations=net_tcp,linux
expect 0 "$kernel" --list --implementations=linux
expect 0 "requirement:" --explain=$kernel

# A case in C, and the bugs that it finds.
expect 0 "int main(void)" --explain=$fast
expect 0 "AF_INET6" --explain=$fast/v6 --format=c
expect 0 "bind(" --explain=$kernel --format=c
expect 0 "    WSL, 2018: A second server on the port started, and got no connections." --explain=listen.in_use.two_of_its_own
expect 0 "port_in_use_is_not_noticed" --explain=listen.in_use.two_of_its_own
expect 0 "  C program:   none: it injects faults. Try them with any program:" --explain=faults.listen.bind
expect 2 "no C program: it injects faults" --explain=faults.listen.bind --format=c
expect 2 "--format=c: needs --explain" --list --format=c

# The failure to mend first: of two, the one that took less time.
expect 0 "next: nothing fails" --cases=$fast --implementations=net_tcp --next
expect 1 "next: connect.timed_out v" --cases=connect.timed_out --timeout=10ms --implementations=net_tcp --norerun --next
expect 1 "run it alone: $program --timeout=10ms --implementations=net_tcp --norerun --cases=connect.timed_out" \
  --cases=connect.timed_out --timeout=10ms --implementations=net_tcp --norerun --next
expect 2 "--next: needs exactly one implementation" --next

expect 2 "no case of net_tcp, linux matches 'lisen.*'" --cases='lisen.*' --implementations=net_tcp,linux
expect 2 "no case of linux matches '$fast'" --implementations=linux --cases=$fast
expect 2 "no implementation is named 'nobody'; there are: net_tcp, net_tcp_on_fake_kernel, asio, asio_on_fake_kernel, libuv, libuv_on_fake_kernel, python_on_fake_kernel, linux, fake_kernel" \
  --implementations=nobody
expect 2 "asio and asio_on_fake_kernel share conformance/targets/asio.expectations" --fix --implementations=asio,asio_on_fake_kernel
expect 2 "--explain: there is no case 'nothing'" --explain=nothing
expect 2 "there is no flag '--nonsense'" --nonsense
expect 2 "there is no flag '--implementation=asio'; did you mean '--implementations'?" --implementation=asio
expect 2 "did you mean 'asio'?" --implementations=asoi
expect 2 "did you mean 'listen.*'?" --cases='lisen.*'
expect 2 "did you mean '$fast'?" --explain=listen.backlog.defualt
expect 2 "'word' is not a flag" word
expect 2 "--jobs" --jobs=0
expect 2 "--jobs=many" --jobs=many
expect 2 "--repeat" --repeat=0
expect 2 "--timeout" --timeout=0s
expect 2 "--format=xml" --list --format=xml
expect 2 "cannot write '/nowhere/records'" --cases=$fast --records=/nowhere/records
expect 2 "cannot write '/dev/full'" --cases=$fast --records=/dev/full

# The page, from a run and from its records. A command that repeats the run does not write them again.
page=$TEST_TMPDIR/page
expect 0 "Each trial in full: $program --cases=$fast --implementations=net_tcp --shuffle --verbose" --html="$page.html" \
  --cases=$fast --badge "$page.svg" --implementations=net_tcp --shuffle --records="$page.jsonl"
if ! grep -q 'href="page.html#failures"' "$page.svg"; then
  fail "--badge: no link to page.html: $(cat "$page.svg")"
fi
rm "$page.html"
expect 0 "" --from-records="$page.jsonl" --html="$page.html"
if [[ $(head -1 "$page.html") != "<!doctype html>" ]]; then
  fail "--from-records: no page"
fi
echo '{"case":"a"}' >> "$page.jsonl"
expect 2 "page.jsonl:4: not a record" --from-records="$page.jsonl" --html="$page.html"
expect 2 "--from-records: reading '/nowhere/records': ENOENT" --from-records=/nowhere/records --html="$page.html"
expect 2 "--html: " --cases=$fast --implementations=net_tcp --html=/nowhere/page
expect 2 "--from-records: needs --html" --from-records="$page.jsonl"
expect 2 "--badge: needs --html" --badge="$page.svg"
expect 2 "--from-records: cannot be combined with --badge" --from-records=a --html=b --badge=c

# An implementation of the program can be judged behind the driver protocol.
expect 0 "2 trials: 2 variation" --cases=$fast --implementations=asio --isolate
expect 0 "VARIATION  $fast v4 asio" --cases=$fast --driver="$program --serve=asio" --verbose
expect 2 "--serve=nobody: must be one of net_tcp, asio, libuv" --serve=nobody
expect 1 "CONFORMANCE_READ_FD is not set: no runner has started this driver" --serve=asio
expect 2 "--isolate: cannot be combined with --driver" --isolate --driver=anything

# The table fits the width of the terminal.
COLUMNS=60 "$program" --cases=$fast,$kernel > "$TEST_TMPDIR/narrow"
if [[ $(wc -L < <(sed '/^total\|Exit status/d' "$TEST_TMPDIR/narrow")) -gt 60 ]]; then
  fail "COLUMNS=60: $(cat "$TEST_TMPDIR/narrow")"
fi

# A case that is killed because it takes too long is unexpected, and is named. (This one waits for seconds until the
# kernel gives up.)
expect 1 "Exit status 1: there are failures" --cases=connect.timed_out --timeout=10ms --implementations=net_tcp
expect 1 "TIMEOUT  connect.timed_out v4 net_tcp" --cases=connect.timed_out --timeout=10ms \
  --implementations=net_tcp

# It is run again, unless that is not wanted. The records of the run say the same.
again=(--cases=connect.timed_out --timeout=10ms --implementations=net_tcp --records="$TEST_TMPDIR/again.jsonl")
expect 1 "run again: ends so each time that it runs alone (deterministic)" "${again[@]}"
if [[ $(grep -c '"rerun":"deterministic"' "$TEST_TMPDIR/again.jsonl") != 2 || $(wc -l < "$TEST_TMPDIR/again.jsonl") != 3 ]]; then
  fail "--records: $(cat "$TEST_TMPDIR/again.jsonl")"
fi
output=$("$program" "${again[@]}" --norerun 2>&1) || true # its exit status is 1
if [[ $output == *"run again"* ]]; then
  fail "--norerun: run again"
fi

# A trial for a debugger.
expect 0 "PASS  $fast v4 net_tcp" --debug=$fast --implementations=net_tcp
expect 0 "PASS  $fast v6 net_tcp" --debug=$fast/v6 --implementations=net_tcp
expect 0 "PASS  $fast v4 net_tcp" --debug=$fast --driver="$program --serve=net_tcp"
expect 2 "--debug: needs exactly one implementation" --debug=$fast
expect 2 "--debug: there is no case 'nothing'" --debug=nothing --implementations=net_tcp

# Equal seeds give equal orders, different seeds different ones.
order_of() {
  "$program" --cases='listen.backlog.*' --implementations=net_tcp --jobs=1 --verbose "$@" |
    sed -n 's/^PASS  \(.*\) (.*/\1/p'
}
if [[ $(order_of --shuffle --seed=1) != "$(order_of --shuffle --seed=1)" ]]; then
  fail "--shuffle: one seed, two orders"
fi
if [[ $(order_of --shuffle --seed=1) == "$(order_of --shuffle --seed=2)" ]]; then
  fail "--shuffle: two seeds, one order"
fi
if [[ $(order_of --shuffle --seed=1 | sort) != "$(order_of | sort)" ]]; then
  fail "--shuffle: other trials than without it"
fi

# Relative paths are relative to the caller's folder, also under `bazel run`, which starts the program in another
# folder.
mkdir -p "$TEST_TMPDIR/caller"
export BUILD_WORKING_DIRECTORY=$TEST_TMPDIR/caller
expect 0 "pass" --cases=$fast --implementations=net_tcp --records=records.jsonl
unset BUILD_WORKING_DIRECTORY
lines=$(wc -l <"$TEST_TMPDIR/caller/records.jsonl")
if [[ $lines != 3 ]] || ! head -1 "$TEST_TMPDIR/caller/records.jsonl" | grep -q '^{"environment":'; then
  fail "records.jsonl: the environment and two records expected"
fi

# A driver whose language is not installed is not a failure, and neither are its expectations.
alone=$TEST_TMPDIR/alone
mkdir -p "$alone/runfiles/net_tcp/conformance/drivers"
cp conformance/drivers/go.expectations "$alone/runfiles/net_tcp/conformance/drivers/"
cp "$program" "$alone/program"
tested=("$alone/program")
export -n TEST_SRCDIR
export RUNFILES_DIR=$alone/runfiles
expect 0 "go: not run: its driver was not built" --implementations=go

exit $((failures > 0))
