#ifndef FAKES_EXPLORER_PLANTED_RACES_H_
#define FAKES_EXPLORER_PLANTED_RACES_H_

#include <ostream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "fakes/explorer/explore_faults.h"
#include "fakes/explorer/finding_kind.h"
#include "fakes/fake_kernel.h"
#include "syscalls/syscalls.h"

// Small programs, each with a race, for the tests of ExploreSchedules().

namespace net {

// A program with a race and its corrected twin.
struct PlantedRace {
  std::string name;
  FindingKind kind = FindingKind::kRace;  // Of the finding.
  absl::Status (*run)(bool is_fixed, Syscalls& sys, FakeKernel& kernel);
  int nofile_limit = 1024;

  ExploreOptions Options() const;
  Scenario Broken() const;
  Scenario Fixed() const;
};

// For the names of tests.
inline std::ostream& operator<<(std::ostream& os, const PlantedRace& race) {
  return os << race.name;
}

// A listener's or a descriptor's life: close(2), shutdown(2), dup3(2).
std::vector<PlantedRace> RacesOfDescriptors();
// Connections: connect(2), accept(2), send(2), options.
std::vector<PlantedRace> RacesOfConnections();

// An event that one participant waits for and another one sets: an eventfd(2).
class Event {
 public:
  // `initial` is the number of Await() calls that return at once. If `waits` is
  // false, Await() does not wait.
  explicit Event(Syscalls& sys, unsigned initial = 0, bool waits = true);
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  ~Event();

  int fd() const { return fd_; }
  // Lets one Await() return.
  void Set();
  // Returns whether it was set.
  bool Await();

 private:
  Syscalls& sys_;
  const int fd_;
};

}  // namespace net

#endif  // FAKES_EXPLORER_PLANTED_RACES_H_
