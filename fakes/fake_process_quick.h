#ifndef FAKES_FAKE_PROCESS_QUICK_H_
#define FAKES_FAKE_PROCESS_QUICK_H_

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>

#include "fakes/call.h"
#include "fakes/fake_process.h"
#include "fakes/kernel/descriptor_table.h"
#include "fakes/kernel/file.h"
#include "fakes/kernel/tcp/tcp_data_path.h"
#include "fakes/kernel/tcp/tcp_socket.h"
#include "syscalls/sys_result.h"

// The usual case of the calls that move bytes: an established connection over
// perfect links, whose data arrives within the call. It is inlined into the
// entry of the call, and skips what other cases need.

namespace net {

// How a call begins.
enum class CallEntry : uint8_t {
  kUsual,
  kQuick,  // Tries Quickly() first, which changes nothing that counts in
           // KernelMutex::disturbances().
  kQuiet,  // Never changes anything that counts.
};

constexpr CallEntry EntryOf(Call call) {
  switch (call) {
    case Call::kSend:
    case Call::kRecv:
    case Call::kRead:
    case Call::kWrite:
      return CallEntry::kQuick;
    case Call::kEpollWait:
      return CallEntry::kQuiet;
    default:
      return CallEntry::kUsual;
  }
}

[[gnu::always_inline]] inline SysResult FakeProcess::SendQuickly(
    int fd, const void* data, size_t size, int flags) {
  fake::File* const file = descriptors_->Get(fd);
  if (file == nullptr || !file->is_tcp()) return SysResult();
  auto& socket = static_cast<fake::TcpSocket&>(*file);
  if (!socket.SendQuickly(data, size, flags)) return SysResult();
  return SysResult::Ok(static_cast<int64_t>(size));
}

[[gnu::always_inline]] inline SysResult FakeProcess::RecvQuickly(int fd,
                                                                 void* data,
                                                                 size_t size,
                                                                 int flags) {
  fake::File* const file = descriptors_->Get(fd);
  if (file == nullptr || !file->is_tcp()) return SysResult();
  auto& socket = static_cast<fake::TcpSocket&>(*file);
  const size_t received = socket.RecvQuickly(data, size, flags);
  if (received == 0) return SysResult();
  return SysResult::Ok(static_cast<int64_t>(received));
}

template <Call kCall, typename... Arguments>
[[gnu::always_inline]] inline SysResult FakeProcess::Quickly(
    Arguments... arguments) {
  if constexpr (kCall == Call::kSend) {
    return SendQuickly(arguments...);
  } else if constexpr (kCall == Call::kRecv) {
    return RecvQuickly(arguments...);
  } else if constexpr (kCall == Call::kWrite) {
    return SendQuickly(arguments..., 0);
  } else if constexpr (kCall == Call::kRead) {
    return RecvQuickly(arguments..., 0);
  } else {
    return SysResult();
  }
}

}  // namespace net

#endif  // FAKES_FAKE_PROCESS_QUICK_H_
