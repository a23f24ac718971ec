#ifndef FAKES_DIFFERENTIAL_FAKE_WORLDS_H_
#define FAKES_DIFFERENTIAL_FAKE_WORLDS_H_

#include <memory>

#include "absl/status/statusor.h"
#include "fakes/differential/worlds.h"

namespace net::differential {

// Makes worlds on FakeKernels. Each world has a new kernel, in which the
// calling thread takes part.
class FakeWorldFactory : public WorldFactory {
 public:
  absl::StatusOr<std::unique_ptr<World>> Make() override;
};

}  // namespace net::differential

#endif  // FAKES_DIFFERENTIAL_FAKE_WORLDS_H_
