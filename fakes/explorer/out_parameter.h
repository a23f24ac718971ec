#ifndef FAKES_EXPLORER_OUT_PARAMETER_H_
#define FAKES_EXPLORER_OUT_PARAMETER_H_

#include <cstring>
#include <type_traits>

#include "fakes/explorer/call_monitor.h"
#include "syscalls/syscalls.h"

namespace net {

// An out-parameter of the code under test, for a scenario of ExploreFaults().
// An operation that fails must not change it:
//
//   OutParameter<uint16_t> port(sys);
//   absl::StatusOr<Socket> listener = tcp::Listen(
//       ip::kLocalV4, 0, {tcp::PortAssignment{port.pointer()}}, sys);
//   if (!listener.ok()) return listener.status();
//   ... tcp::Connect(ip::kLocalV4, port.value(), {}, sys) ...
//
// Call value() once the operation has succeeded. The destructor reports a
// finding if value() was not called and the variable has changed. Does nothing
// if `sys` is not the explorer's Syscalls.
template <typename T>
class OutParameter {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  explicit OutParameter(Syscalls& sys)
      : monitor_(dynamic_cast<CallMonitor*>(&sys)) {
    std::memset(&value_, CallMonitor::kPoison, sizeof(value_));
    std::memset(&before_, CallMonitor::kPoison, sizeof(before_));
  }
  OutParameter(const OutParameter&) = delete;
  OutParameter& operator=(const OutParameter&) = delete;
  ~OutParameter() {
    if (monitor_ != nullptr && !succeeded_ &&
        std::memcmp(&value_, &before_, sizeof(value_)) != 0) {
      monitor_->ReportOutParameter();
    }
  }

  T* pointer() { return &value_; }

  const T& value() {
    succeeded_ = true;
    return value_;
  }

 private:
  CallMonitor* const monitor_;
  T value_;
  T before_;
  bool succeeded_ = false;
};

}  // namespace net

#endif  // FAKES_EXPLORER_OUT_PARAMETER_H_
