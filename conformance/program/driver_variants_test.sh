#!/usr/bin/env bash
# driver_variants_test.sh RUNNER OTHER_ANSWERS DRIVER: tests which cases detect a change in the Python driver
# (conformance/driver_host/testdata/other_answers.py).
set -euo pipefail

runner=$PWD/$1
variant="python3 $PWD/$2 $PWD/$3"
failures=0
cd "$TEST_TMPDIR"

# outcomes NAME CASES: runs the cases with the variant NAME. Prints a line "OUTCOME CASE AXIS" for each trial.
outcomes() {
  "$runner" --driver="$variant $1" --cases="$2" --records=records > report || true
  sed -n 's/^{"case":"\([^"]*\)","axis":"\([^"]*\)",.*"outcome":"\([^"]*\)".*/\3 \1 \2/p' records
}

# expect_same WHAT EXPECTED ACTUAL
expect_same() {
  if [[ $2 != "$3" ]]; then
    printf 'FAILED: %s\n%s\n' "$1" "$(diff <(echo "$2") <(echo "$3"))"
    failures=$((failures + 1))
  fi
}

# Quick cases of every group except the faults.
quick="accept.*,close.*,connect.e*,connect.f*,connect.l*,connect.m*,data.e*,data.r*,data.s*,descriptors.*,listen.*,localaddr.*,peeraddr.*"

# Without localaddr, only these cases and those in localaddr.* are unsupported.
about_localaddr="accept.local_address
accept.local_address.mapped
accept.local_address.of_any
connect.local_address.as_the_peer_sees_it
connect.mapped.local_address
listen.dual_stack.local_address_is_mapped
listen.mapped.is_reported"
whole=$(outcomes none "$quick" | grep -v " localaddr\." | sort)
without=$(outcomes no_localaddr "$quick" | sort)
expect_same "cases that need localaddr" "$about_localaddr" "$(comm -13 <(echo "$whole") <(echo "$without") |
  grep -v " localaddr\." | cut -d' ' -f2 | sort -u)"
# Python's socket() fails for an adopted pipe, so that case does not reach localaddr.
expect_same "cases localaddr.*" unsupported "$(grep " localaddr\." <<< "$without" |
  grep -v " localaddr.not_a_socket " | cut -d' ' -f1 | sort -u)"

if ! output=$("$runner" --driver="$variant no_localaddr" --smoke); then
  expect_same "--smoke without localaddr" "" "$output"
fi
expect_same "what --smoke says without localaddr" 11 "$(grep -c "^PASS" <<< "$output")"

# finds VARIANT GLOBS CASES...: of the cases that match GLOBS, exactly CASES must detect VARIANT. The variants keep an
# answer that should change, or do not check a bit of the flags. All other cases must end as with the original driver.
finds() {
  local name=$1 globs=$2
  shift 2
  expect_same "what finds $name" "$(printf '%s\n' "$@" | sort)" \
    "$(outcomes "$name" "$globs" | grep -Ev "^(pass|variation|unsupported|precondition) " | cut -d' ' -f2 | sort -u)"
}
finds keeps_peer "peeraddr.*" peeraddr.changes.once_connected
finds keeps_peer_of_descriptor "peeraddr.*" peeraddr.after_shutdown.one_direction \
  peeraddr.changes.{once_connected,next_accepted,next_connected,after_listener}
finds keeps_local_of_descriptor "localaddr.*" localaddr.changes.{next_listener,next_connected}
finds keeps_no_error "connect.nonblock.*" connect.nonblock.full_queue.then_refused
finds any_flags "listen.unknown_flag*,connect.flags.*" listen.unknown_flag connect.flags.unknown

exit $((failures > 0))
