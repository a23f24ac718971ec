#ifndef FAKES_DIFFERENTIAL_FAKE_WORLDS_H_
#define FAKES_DIFFERENTIAL_FAKE_WORLDS_H_

#include <memory>

#include "absl/status/statusor.h"
#include "fakes/differential/worlds.h"
#include "fakes/kernel/deviation.h"

namespace net::differential {

// Worlds on FakeKernels: a new kernel for each, in which the calling thread
// takes part. With a deviation, every kernel has it.
class FakeWorlds : public Worlds {
 public:
  explicit FakeWorlds(fake::Deviation deviation = fake::Deviation::kNone)
      : deviation_(deviation) {}

  absl::StatusOr<std::unique_ptr<World>> Make() override;

 private:
  const fake::Deviation deviation_;
};

}  // namespace net::differential

#endif  // FAKES_DIFFERENTIAL_FAKE_WORLDS_H_
