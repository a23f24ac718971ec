# shellcheck shell=bash
# For tests in shell, which Bazel starts in the folder of this tree's files:
#
#   source syscalls/testing/expect.sh
#   tested=("$PWD/$1")
#   expect 2 "no such flag" --no-such-flag
#   exit $((failures > 0))

failures=0

# The program that expect runs, with its first arguments. Empty: the test names a program in each call.
tested=()

# fail LINE...: prints the lines, and counts a failure.
fail() {
  echo "FAILED: $1"
  shift
  [[ $# == 0 ]] || printf '  %s\n' "$@"
  failures=$((failures + 1))
}

# expect STATUS TEXT ARGS...: runs the program with ARGS. It must exit with STATUS, and print TEXT on standard output or
# standard error.
expect() {
  local status=$1 text=$2 output actual=0
  shift 2
  output=$("${tested[@]}" "$@" 2>&1) || actual=$?
  if [[ $actual != "$status" || $output != *"$text"* ]]; then
    fail "$*" "expected status $status and \"$text\"" "actual status $actual and:" "$output"
  fi
}
