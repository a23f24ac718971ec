#ifndef CONFORMANCE_TARGETS_RUN_ON_LINUX_H_
#define CONFORMANCE_TARGETS_RUN_ON_LINUX_H_

#include <functional>
#include <utility>
#include <vector>

#include "conformance/engine/outcome.h"
#include "conformance/engine/record.h"
#include "conformance/engine/runner.h"
#include "conformance/engine/trial.h"
#include "conformance/environments/linux/linux_environment.h"
#include "conformance/suite/case.h"
#include "conformance/suite/context.h"
#include "conformance/targets/net_tcp.h"

// Runs single functions as the engine runs cases, for tests of the engine.

namespace net::conformance {

// Returns a target of net_tcp on this machine's kernel.
inline Target NetTcpOnLinux() {
  return {.name = "test",
          .make_environment =
              [](std::function<void()> abandon) {
                return MakeLinuxEnvironment({}, std::move(abandon));
              },
          .make_implementation = &MakeNetTcp};
}

inline Case MakeCase(void (*run)(Context&)) {
  return {.id = "engine.test",
          .requirement = "The engine must do its work.",
          .source = "the engine",
          .run = run};
}

inline Record RunOne(const Case& test_case, const Target& target,
                     const RunnerOptions& options = {}) {
  Record only;
  RunTrials({{.test_case = &test_case,
              .family = AddressFamily::kV4,
              .target = &target}},
            options, [&](const Record& record) { only = record; });
  return only;
}

inline Verdict VerdictOf(void (*run)(Context&),
                         const RunnerOptions& options = {}) {
  return RunOne(MakeCase(run), NetTcpOnLinux(), options).verdict;
}

}  // namespace net::conformance

#endif  // CONFORMANCE_TARGETS_RUN_ON_LINUX_H_
