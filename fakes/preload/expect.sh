# What the tests of on_fake_kernel have in common. `failures` counts what was not as expected.
failures=0

# expect STATUS TEXT COMMAND...: the command must end with the status, and print the text.
expect() {
  local status=$1 text=$2 actual=0 output
  shift 2
  output=$("$@" 2>&1) || actual=$?
  if [[ $actual != "$status" || $output != *"$text"* ]]; then
    printf 'FAILED: %s\n  expected status %s and "%s"\n  actual status %s and:\n%s\n' "$*" "$status" "$text" "$actual" \
      "$output"
    failures=$((failures + 1))
  fi
}

# has COMMAND PACKAGE: says which Debian package is missing.
has() {
  command -v "$1" > /dev/null && return
  echo "not run: $1 is missing (Debian package $2; third_party/install_debian_packages ci installs it)"
  return 1
}
