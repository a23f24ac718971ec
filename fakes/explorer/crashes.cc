#include "fakes/explorer/crashes.h"

#include <sys/mman.h>

#include <cerrno>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "fakes/explorer/explore_faults.h"
#include "fakes/explorer/scenario.h"
#include "fakes/explorer/search.h"
#include "syscalls/errors/error.h"
#include "syscalls/sandbox/watched_child.h"

namespace net {
namespace {

constexpr size_t kMostCrashes = 32;

// Memory that a child shares with its parent.
struct Unmap {
  void operator()(CurrentPlan* shared) const {
    ::munmap(shared, sizeof(CurrentPlan));
  }
};
using SharedPlan = std::unique_ptr<CurrentPlan, Unmap>;

absl::StatusOr<SharedPlan> MakeSharedPlan() {
  void* const memory =
      ::mmap(nullptr, sizeof(CurrentPlan), PROT_READ | PROT_WRITE,
             MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return ErrnoError(errno, "mmap");
  return SharedPlan(static_cast<CurrentPlan*>(memory));
}

}  // namespace

absl::StatusOr<std::set<std::string>> FindCrashes(const ExploreOptions& options,
                                                  const Scenario& scenario) {
  absl::StatusOr<SharedPlan> shared = MakeSharedPlan();
  if (!shared.ok()) return shared.status();
  ExploreOptions in_child = options;
  in_child.checkpoint = "";
  std::set<std::string> crashed;
  while (crashed.size() < kMostCrashes) {
    absl::StatusOr<sandbox::WatchedChild> child =
        sandbox::WatchedChild::Start([&](int /*report*/) {
          Search search(in_child, scenario);
          search.WatchCrashes(shared->get(), crashed);
          search.Explore();
        });
    if (!child.ok()) return child.status();
    const absl::StatusOr<int> status = child->Await();
    if (!status.ok()) return status.status();
    if (*status == 0) return crashed;
    // A crash in the run without faults would come again forever.
    if (!crashed.insert((*shared)->text).second) break;
  }
  return crashed;
}

}  // namespace net
