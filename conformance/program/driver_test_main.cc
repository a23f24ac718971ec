// The main() of tcp_conformance_test(driver = ...): judges the implementation
// behind the driver --driver=FILE.

#include <string>

#include "absl/flags/flag.h"
#include "conformance/program/trial_test.h"
#include "conformance/targets/driver_targets.h"
#include "gtest/gtest.h"

ABSL_FLAG(std::string, driver, "", "");
ABSL_FLAG(bool, driver_stdio, false, "");

int main(int argc, char** argv) {
  return net::conformance::RunAsTests(argc, argv, [] {
    auto target = net::conformance::MakeDriverTarget(
        "driver",
        {.line =
             net::conformance::ProgramAsCommand(absl::GetFlag(FLAGS_driver)),
         .stdio = absl::GetFlag(FLAGS_driver_stdio)},
        {});
    if (!testing::GTEST_FLAG(list_tests)) {
      net::conformance::NameByGreeting(target);
    }
    return target;
  });
}
