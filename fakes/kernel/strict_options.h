#ifndef FAKES_KERNEL_STRICT_OPTIONS_H_
#define FAKES_KERNEL_STRICT_OPTIONS_H_

#include <atomic>
#include <string>
#include <utility>
#include <vector>

namespace net::fake {

// Collects the uses of options without effect (FakeKernel::StrictOptions()).
// Guarded by the kernel's mutex, except pending().
class StrictOptions {
 public:
  void Enable() { enabled_ = true; }
  bool enabled() const { return enabled_; }

  void Add(std::string report) {
    reports_.push_back(std::move(report));
    pending_.store(true, std::memory_order_relaxed);
  }

  // Returns whether there are reports. May be called without the mutex.
  bool pending() const { return pending_.load(std::memory_order_relaxed); }
  // Returns the reports since the last call.
  std::vector<std::string> Take() {
    pending_.store(false, std::memory_order_relaxed);
    return std::exchange(reports_, {});
  }

 private:
  bool enabled_ = false;
  std::atomic<bool> pending_ = false;
  std::vector<std::string> reports_;
};

}  // namespace net::fake

#endif  // FAKES_KERNEL_STRICT_OPTIONS_H_
