// Judges this machine's kernel by the cases for kernels, over a loopback
// interface that delivers late: no case may depend on when a segment arrives.

#include <functional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "conformance/engine/trial.h"
#include "conformance/environments/linux/late_loopback.h"
#include "conformance/kernel_cases/kernel_cases.h"
#include "conformance/program/trial_test.h"
#include "conformance/suite/case.h"
#include "conformance/suite/environment.h"
#include "conformance/suite/precondition.h"
#include "conformance/targets/linux_target.h"

namespace net::conformance {
namespace {

// Sends data until no more is taken, before an acknowledgement is due. Here
// each of its hundred sends waits for another processor, which takes longer.
constexpr absl::string_view kTooLong = "kernel.segments.notsent_lowat.bounds";

// The cases for kernels; those that run on both address families only on IPv4.
absl::Span<const Case> Cases() {
  static const auto& cases = []() -> const std::vector<Case>& {
    auto& all = *new std::vector<Case>;
    for (const Case& one : AllKernelCases()) {
      if (one.id == kTooLong) continue;
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
        if (const absl::Status late = DeliverOnAnotherProcessor(); !late.ok()) {
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
