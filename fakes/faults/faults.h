#ifndef FAKES_FAULTS_FAULTS_H_
#define FAKES_FAULTS_FAULTS_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "fakes/faults/fault_plan.h"

namespace net {

// An object that carries out a fault plan: FaultInjector for calls that are
// made through class Syscalls, SyscallTrap for those of another process.
// Thread-safe.
class Faults {
 public:
  virtual ~Faults() = default;

  // Replaces the plan. All counts start at 0, and sockets that exist keep their
  // roles and addresses.
  virtual void Arm(const FaultPlan& plan) = 0;

  // Returns the rules that have not applied to any call since Arm(), in the
  // order of the plan. A test that ends with such rules has not tested what it
  // planned.
  virtual std::vector<FaultRule> Unmatched() const = 0;

  // Returns the number of calls since Arm() that `calls` selects: the name of a
  // system call or of a family, or "*", as in the text of a plan.
  virtual int Count(absl::string_view calls) const = 0;

  // Returns the calls since Arm(), a line each, in the format of strace(1).
  // Calls that a rule applied to are marked: "... = -1 EMFILE (INJECTED)".
  virtual std::vector<std::string> Trace() const = 0;

  // Returns the descriptors of TCP sockets, epolls, pipes and eventfds that
  // were made since Arm() and are open, in ascending order.
  virtual std::vector<int> OpenDescriptors() const = 0;

  // Returns the number of close(2) calls since Arm() for a descriptor (>= 0)
  // that was not open: it was closed twice or never made.
  virtual int StrayCloses() const = 0;
};

}  // namespace net

#endif  // FAKES_FAULTS_FAULTS_H_
