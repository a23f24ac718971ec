// Judges this machine's kernel by the cases for kernels.

#include "conformance/program/trial_test.h"
#include "conformance/targets/linux_target.h"

int main(int argc, char** argv) {
  return net::conformance::RunAsTests(
      argc, argv, [] { return net::conformance::MakeLinuxTarget(); });
}
