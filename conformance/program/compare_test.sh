#!/usr/bin/env bash
# compare_test.sh CONFORMANCE COMPARE DRIVER: tests the output of //conformance:compare.
set -euo pipefail
source syscalls/testing/expect.sh

conformance=$PWD/$1
compare=$PWD/$2
driver=$PWD/$3
tested=("$compare")
cd "$TEST_TMPDIR"

fast=listen.backlog.default
"$conformance" --cases=$fast --implementations=net_tcp --records=before > /dev/null

expect 0 "2 cells, 0 changed" before before

sed "s/\"axis\":\"v4\",\(.*\)\"outcome\":\"pass\"/\"axis\":\"v4\",\1\"outcome\":\"fail\"/" before > after
expect 1 "$fast v4 net_tcp: pass -> fail; stable when run again: pass 3 times" --rerun=3 before after
expect 1 "no other recorded value has changed" --rerun=0 before after
expect 1 "2 cells, 1 changed" before after

# A changed leak counts as a change, even with the same outcome.
sed 's/"axis":"v4",\(.*\)"leak":""/"axis":"v4",\1"leak":"leak"/' before > leaks
expect 1 "$fast v4 net_tcp: pass -> pass, leak; stable when run again: pass 3 times" --rerun=3 before leaks
expect 1 "$fast v4 net_tcp: pass, leak -> pass; " --rerun=0 leaks before
expect 1 "2 cells, 1 changed" --rerun=0 before leaks
expect 0 "2 cells, 0 changed" leaks leaks
# Older files do not have the field `leak`.
sed 's/"leak":"",//' before > older
expect 0 "2 cells, 0 changed" older before

sed 's/"kernel":"[^"]*"/"kernel":"1.0"/' after > elsewhere
expect 1 "possibly the environment: kernel: " before elsewhere

sed 's/"version":""/"version":"1.0"/' before > older
sed 's/"version":""/"version":"2.0"/' after > newer
expect 1 "the implementation's version: 1.0 -> 2.0" older newer
expect 1 "no other recorded value has changed" --rerun=0 before newer

sed 's/"requirement":"/"requirement":"Not /' after > other_case
expect 1 "the case has another requirement now" before other_case

grep -v '"axis":"v6"' before > fewer
expect 1 "$fast v6 net_tcp: gone, was pass" before fewer
expect 1 "$fast v6 net_tcp: new, pass" fewer before

# The messages before and after are printed.
sed 's/"message":""/"message":"a.cc:1: no\\nactual: 7"/' after > explained
expect 1 "  after:
    a.cc:1: no
    actual: 7" --rerun=0 before explained
expect 1 "  before:
    a.cc:1: no" --rerun=0 explained before

# An implementation that is not in the tree is run again behind its driver.
"$conformance" --driver="$driver" --cases=$fast --records=driver_before > /dev/null
sed 's/"outcome":"pass"/"outcome":"fail"/; s/"net_tcp_driver"/"mine"/' driver_before > driver_after
sed -i 's/"net_tcp_driver"/"mine"/' driver_before
expect 1 "$fast v4 mine: pass -> fail; not run again: its driver must be given with --driver=COMMAND" driver_before driver_after
expect 1 "$fast v4 mine: pass -> fail; stable when run again: pass 2 times" --rerun=2 --driver="$driver" \
  driver_before driver_after
expect 2 "--driver-stdio: needs --driver" --driver-stdio driver_before driver_after

expect 0 "Compares two files" --help
expect 2 "needs two files" before
expect 2 "ENOENT" before missing
echo '{"case": 1' >> before
expect 2 "before:4: not a record" before before
expect 2 "there is no flag '--repeat=2'" --repeat=2 before before

exit $((failures > 0))
