# shellcheck shell=bash
# Functions of the tests that run programs. Each test ends with [[ $failures == 0 ]].

failures=0

# fail TEXT...: reports a failure.
fail() {
  printf 'FAILED: %s\n' "$*"
  failures=$((failures + 1))
}

# expect STATUS TEXT COMMAND...: the command must end with the status, and print the text.
expect() {
  local status=$1 text=$2 actual=0 output
  shift 2
  output=$("$@" 2>&1) || actual=$?
  if [[ $actual != "$status" || $output != *"$text"* ]]; then
    fail "$(printf '%s\n  expected status %s and "%s"\n  actual status %s and:\n%s' "$*" "$status" "$text" "$actual" "$output")"
  fi
}

# has COMMAND PACKAGE: says which Debian package is missing.
has() {
  command -v "$1" > /dev/null && return
  echo "not run: $1 is missing (Debian package $2; third_party/install_debian_packages ci installs it)"
  return 1
}
