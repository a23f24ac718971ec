"""Where newer Bazel has sh_binary."""

sh_binary = native.sh_binary
