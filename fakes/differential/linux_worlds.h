#ifndef FAKES_DIFFERENTIAL_LINUX_WORLDS_H_
#define FAKES_DIFFERENTIAL_LINUX_WORLDS_H_

#include <functional>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "fakes/differential/worlds.h"

namespace net::differential {

// Sets the sysctls of the process's network namespace to those of the
// FakeKernel. Omits sysctls that do not belong to a namespace.
absl::Status WriteFakeSysctls();

// Makes worlds on the kernel of this machine. One real process acts as all
// processes of a program. This is equivalent to several processes: a program
// never moves a descriptor between processes, and no other rule of TCP depends
// on the process. (SO_REUSEPORT depends on the user, who is the same.)
//
// Making a network namespace (see EnterOwnNetwork()) takes longer than running
// a program. Several consecutive programs therefore share a namespace, each
// with its own ports. An earlier program leaves at most TIME-WAIT entries, on
// ports that later programs do not use. (The namespace belongs to the process,
// so two LinuxWorldFactory share it.)
//
// While a world exists, the process is in its namespace and has no effective
// capabilities. SIGPIPE is ignored from the first world on. The process must
// therefore have only one thread and no other purpose.
class LinuxWorldFactory : public WorldFactory {
 public:
  LinuxWorldFactory() = default;
  // Calls `prepare` in each new network, before the capabilities are dropped.
  explicit LinuxWorldFactory(std::function<absl::Status()> prepare)
      : prepare_(std::move(prepare)) {}

  absl::StatusOr<std::unique_ptr<World>> Make() override;
  absl::StatusOr<std::unique_ptr<World>> MakeDelivering() override;

 private:
  absl::StatusOr<std::unique_ptr<World>> Make(bool delivers);

  const std::function<absl::Status()> prepare_;
};

}  // namespace net::differential

#endif  // FAKES_DIFFERENTIAL_LINUX_WORLDS_H_
