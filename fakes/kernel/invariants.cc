#include "fakes/kernel/invariants.h"

#include <string>
#include <vector>

#include "fakes/kernel/hang_failure.h"
#include "fakes/kernel/invariant_walk.h"

namespace net::fake {

void Invariants::Check() {
  InvariantWalk walk(kernel_, descriptors_, /*in_call=*/calls_ > 0, files_);
  next_socket_ = walk.WalkPart(next_socket_, checks_++);
  if (walk.found()) EndProcess(walk.Report());
}

void Invariants::OnEnd() {
  const std::string report = FindViolation();
  if (!report.empty()) EndProcess(report);
}

std::string Invariants::FindViolation() const {
  std::vector<const File*> files;
  InvariantWalk walk(kernel_, descriptors_, /*in_call=*/calls_ > 0, files);
  walk.WalkAll();
  return walk.Report();
}

}  // namespace net::fake
