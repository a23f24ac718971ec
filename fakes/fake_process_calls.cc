// The entry of each call of a FakeProcess.

#include <cerrno>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "fakes/call.h"
#include "fakes/fake_process.h"
#include "fakes/fake_process_quick.h"
#include "fakes/kernel/descriptor_table.h"
#include "fakes/kernel/file.h"
#include "fakes/kernel/hang_failure.h"
#include "fakes/kernel/kernel.h"
#include "fakes/kernel/race_detector.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscall_table.h"

namespace net {
namespace {

// Returns the first argument if it is a descriptor, else -1.
template <ArgumentKind kKind, typename Value>
constexpr int DescriptorOf(Value value) {
  if constexpr (kKind == ArgumentKind::kFd) {
    return value;
  } else {
    return -1;
  }
}

#ifdef NET_FAKE_THREAD_SANITIZER

bool SendsData(Call call) {
  switch (call) {
    case Call::kShutdown:
    case Call::kSend:
    case Call::kSendTo:
    case Call::kSendMsg:
    case Call::kSendMMsg:
    case Call::kWrite:
    case Call::kWriteV:
    case Call::kEpollCtl:  // Passes the event's data.
    case Call::kClose:
      return true;
    default:
      return false;
  }
}

bool ReceivesData(Call call) {
  switch (call) {
    case Call::kRecv:
    case Call::kRecvFrom:
    case Call::kRecvMsg:
    case Call::kRecvMMsg:
    case Call::kRead:
    case Call::kReadV:
    case Call::kEpollWait:
    case Call::kEpollPWait:
    case Call::kEpollPWait2:
      return true;
    default:
      return false;
  }
}

#endif  // NET_FAKE_THREAD_SANITIZER

}  // namespace

// Reports the uses of options without effect that a call has noted, when the
// call has ended: the test framework may then ask the kernel for its state.
class FakeProcess::StrictReports {
 public:
  explicit StrictReports(fake::Kernel& kernel) : kernel_(kernel) {}
  StrictReports(const StrictReports&) = delete;
  StrictReports& operator=(const StrictReports&) = delete;
  ~StrictReports() {
    if (kernel_.strict_options.pending()) Report();
  }

 private:
  void Report() const {
    std::vector<std::string> reports;
    {
      const fake::KernelLock lock(kernel_);
      reports = kernel_.strict_options.Take();
    }
    for (const std::string& report : reports) {
      fake::PrintHang(absl::StrCat(report, "\n"));
      fake::FailTest("FakeKernel::StrictOptions()", report);
    }
  }

  fake::Kernel& kernel_;
};

#define NET_FIRST_DESCRIPTOR(first, ...) NET_DESCRIPTOR first
#define NET_DESCRIPTOR(type, name, kind) \
  DescriptorOf<ArgumentKind::k##kind>(name)
#define NET_SYSCALL(method, name, result, ...)                                 \
  SysResult FakeProcess::method(NET_SYSCALL_PARAMETERS(__VA_ARGS__)) {         \
    constexpr CallEntry kEntry = EntryOf(Call::k##method);                     \
    const int of = NET_FIRST_DESCRIPTOR(__VA_ARGS__, );                        \
    const StrictReports reports(kernel_);                                      \
    fake::SystemCall call(kernel_, &name_, name, of,                           \
                          /*disturbs=*/kEntry == CallEntry::kUsual);           \
    if (call.refused() && Call::k##method != Call::kClose) {                   \
      return call.Return(SysResult::Error(EDEADLK));                           \
    }                                                                          \
    ShowBefore(Call::k##method, of);                                           \
    SysResult returned;                                                        \
    if constexpr (kEntry == CallEntry::kQuick) {                               \
      returned = Quickly<Call::k##method>(NET_SYSCALL_NAMES(__VA_ARGS__));     \
      if (!returned.ok()) kernel_.mutex.Disturb();                             \
    }                                                                          \
    if (!returned.ok()) returned = Do##method(NET_SYSCALL_NAMES(__VA_ARGS__)); \
    ShowAfter(Call::k##method, of, returned);                                  \
    return call.Return(returned);                                              \
  }
#include "syscalls/syscall_table.inc"
#undef NET_DESCRIPTOR
#undef NET_FIRST_DESCRIPTOR

#ifdef NET_FAKE_THREAD_SANITIZER

void FakeProcess::ShowBefore(Call call, int fd) const {
  const fake::File* const file = descriptors_->Get(fd);
  if (SendsData(call) && file != nullptr) {
    fake::ShowRelease(file->SharedObject());
  }
  // The connection has no name yet.
  if (call == Call::kConnect) fake::ShowRelease(&kernel_);
}

void FakeProcess::ShowAfter(Call call, int fd, SysResult result) const {
  if (!result.ok()) return;
  const fake::File* const file = descriptors_->Get(fd);
  if (ReceivesData(call) && file != nullptr) {
    fake::ShowAcquire(file->SharedObject());
  }
  if (call == Call::kAccept || call == Call::kAccept4) {
    fake::ShowAcquire(&kernel_);
  }
}

#endif  // NET_FAKE_THREAD_SANITIZER

}  // namespace net
