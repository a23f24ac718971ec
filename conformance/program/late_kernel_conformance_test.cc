// Judges this machine's kernel by the cases for kernels, over a loopback
// interface that delivers late. Only cases that measure times may depend on
// when a segment arrives.

#include <algorithm>
#include <functional>
#include <iterator>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "conformance/engine/trial.h"
#include "conformance/kernel_cases/kernel_cases.h"
#include "conformance/program/trial_test.h"
#include "conformance/suite/case.h"
#include "conformance/suite/environment.h"
#include "conformance/suite/precondition.h"
#include "conformance/targets/linux_target.h"
#include "syscalls/sandbox/late_loopback.h"

namespace net::conformance {
namespace {

// The beginnings of the names of cases that must make their calls within some
// milliseconds. Here each call waits for another processor.
constexpr absl::string_view kMeasured[] = {
    "kernel.segments.",
    "kernel.recvmsg.stamp.each",
    "kernel.options.tcp.cork.whole_segments.of_server",
};

bool IsMeasured(const Case& one) {
  return std::any_of(std::begin(kMeasured), std::end(kMeasured),
                     [&](absl::string_view beginning) {
                       return absl::StartsWith(one.id, beginning);
                     });
}

// The cases for kernels; those that run on both address families only on IPv4.
absl::Span<const Case> Cases() {
  static const auto& cases = []() -> const std::vector<Case>& {
    auto& all = *new std::vector<Case>;
    for (const Case& one : AllKernelCases()) {
      if (IsMeasured(one)) continue;
      all.push_back(one);
      if (one.families == AddressFamilies::kV4AndV6) {
        all.back().families = AddressFamilies::kV4;
      }
    }
    return all;
  }();
  return cases;
}

Target MakeTarget() {
  Target target = MakeLinuxTarget();
  target.cases = Cases();
  target.make_environment =
      [make = target.make_environment](std::function<void()> abandon) {
        auto environment = make(std::move(abandon));
        if (environment->Lacks(Need::kOwnNetwork).has_value())
          return environment;
        if (const absl::Status late = sandbox::DeliverOnAnotherProcessor();
            !late.ok()) {
          NotePrecondition(late.message());
        }
        return environment;
      };
  return target;
}

}  // namespace
}  // namespace net::conformance

int main(int argc, char** argv) {
  return net::conformance::RunAsTests(argc, argv, net::conformance::MakeTarget);
}
