# shellcheck shell=bash
# For the tests that run programs of Debian.
source syscalls/testing/expect.sh

# has COMMAND PACKAGE: says which Debian package is missing.
has() {
  command -v "$1" > /dev/null && return
  echo "not run: $1 is missing (Debian package $2; third_party/install_debian_packages ci installs it)"
  return 1
}
