// The steps with options: setsockopt, getsockopt, fcntl, ioctl.

#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "fakes/call.h"
#include "fakes/differential/execution.h"
#include "fakes/differential/observation.h"
#include "fakes/differential/program.h"
#include "fakes/differential/streams.h"
#include "fakes/differential/tolerances.h"
#include "syscalls/errors/errno_symbol.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"

namespace net::differential {
namespace {

// The value of an option, with space for wrong lengths.
union OptionValue {
  unsigned char bytes[512];
  int number;
  linger lingering;
  timeval timeout;
  tcp_info info;
};

// Newer kernels return more fields. All kernels return these.
constexpr socklen_t kTcpInfoSize = sizeof(tcp_info);

socklen_t RightLength(int level, int name) {
  if (IsLinger(level, name)) return sizeof(linger);
  if (IsTimeout(level, name)) return sizeof(timeval);
  if (IsTcpInfo(level, name)) return kTcpInfoSize;
  return sizeof(int);
}

bool ResizesBuffers(int level, int name) {
  return (level == SOL_SOCKET && (name == SO_SNDBUF || name == SO_RCVBUF)) ||
         (level == IPPROTO_TCP &&
          (name == TCP_MAXSEG || name == TCP_WINDOW_CLAMP));
}

int IntFrom(absl::string_view value) {
  int number = 0;
  std::memcpy(&number, value.data(), sizeof(number));
  return number;
}

}  // namespace

Observation Execution::SetSockOpt(const Step& step) {
  const End& end = EndAt(step.slot);
  if (ResizesBuffers(step.level, step.name) && end.doubtful()) {
    return Skip("the fill level of the buffers is uncertain");
  }
  // The peer has been promised a larger window and uses it. Data that no longer
  // fits is dropped and retransmitted later.
  if (step.level == SOL_SOCKET && step.name == SO_RCVBUF && end.known()) {
    return Skip("it may shrink a window that was advertised");
  }
  const bool cork = step.level == IPPROTO_TCP && step.name == TCP_CORK;
  if (cork && overfilled_) return Skip(kTimeMatters);
  OptionValue value = {};
  value.number = step.value;
  if (IsLinger(step.level, step.name)) {
    value.lingering = {step.value, step.second_value};
  } else if (IsTimeout(step.level, step.name)) {
    value.timeout = {step.value, step.second_value};
  }
  const socklen_t length = step.length == kRightLength
                               ? RightLength(step.level, step.name)
                               : static_cast<socklen_t>(step.length);
  const SysResult set =
      Sys(step).SetSockOpt(At(step.slot).fd, step.level, step.name,
                           step.null ? nullptr : &value, length);
  if (set.ok() && ResizesBuffers(step.level, step.name)) small_buffers_ = true;
  if (IsLinger(step.level, step.name)) lingering_ = true;
  if (set.ok() && cork) holding_back_ = true;
  if (step.level == IPPROTO_TCP && step.name == TCP_DEFER_ACCEPT) {
    deferring_ = true;
  }
  if (set.ok() && step.level == SOL_SOCKET && step.name == SO_RCVLOWAT) {
    low_water_ = true;
  }
  return Plain(set);
}

std::string Execution::OptionText(const Step& step, absl::string_view value) {
  const End& end = EndAt(step.slot);
  const bool whole_int = value.size() == sizeof(int);
  if (IsTcpInfo(step.level, step.name) && value.size() == kTcpInfoSize) {
    tcp_info info = {};
    std::memcpy(&info, value.data(), value.size());
    return TcpInfoText(end, info);
  }
  if (IsTcpInfo(step.level, step.name)) return "a part of the value";
  if (ResizesBuffers(step.level, step.name)) {
    const bool tuned =
        At(step.slot).socket != nullptr && At(step.slot).socket->tried;
    if (tuned && !whole_int) return "a part of the value";
    if (whole_int) return TunedSizeText(tuned, IntFrom(value));
  }
  if (step.level == SOL_SOCKET && step.name == SO_ERROR && !value.empty()) {
    // The first byte of the value is the errno (little-endian, errnos below
    // 256).
    NoteError(step.slot, static_cast<unsigned char>(value[0]));
    if (whole_int) return ErrnoSymbol(IntFrom(value));
  }
  return whole_int ? absl::StrCat(IntFrom(value))
                   : absl::BytesToHexString(value);
}

Observation Execution::GetSockOpt(const Step& step) {
  OptionValue value = {};
  const socklen_t room = step.length == kRightLength
                             ? RightLength(step.level, step.name)
                             : static_cast<socklen_t>(step.length);
  socklen_t length = room;
  const SysResult told = Sys(step).GetSockOpt(
      At(step.slot).fd, step.level, step.name, step.null ? nullptr : &value,
      step.null_length ? nullptr : &length);
  if (!told.ok()) return Plain(told);
  const auto size = std::min<size_t>({length, room, sizeof(value)});
  const absl::string_view bytes(reinterpret_cast<const char*>(value.bytes),
                                size);
  Observation seen = Plain(told, absl::StrCat("length ", length, " value ",
                                              OptionText(step, bytes)));
  if (size == sizeof(int)) seen.numbers.push_back(value.number);
  return seen;
}

Observation Execution::Fcntl(const Step& step) {
  const Held held = At(step.slot);
  const SysResult done = Sys(step).Fcntl(held.fd, step.name, step.value);
  if (step.name == F_DUPFD || step.name == F_DUPFD_CLOEXEC) {
    return Made(step, done, held.socket);
  }
  return Plain(done);
}

Observation Execution::Ioctl(const Step& step) {
  const int tcp_state = TcpState(step);
  int value = step.value;
  const intptr_t argument = step.null ? 0 : reinterpret_cast<intptr_t>(&value);
  const auto request = static_cast<uint64_t>(step.name);
  const SysResult done = Sys(step).Ioctl(At(step.slot).fd, request, argument);
  if (!done.ok() || request == FIONBIO || request == FIOASYNC) {
    return Plain(done);
  }
  if (request == SIOCGPGRP) return Plain(done, absl::StrCat("owner ", value));
  const End& end = EndAt(step.slot);
  Observation seen =
      Plain(done, request == FIONREAD ? InputSizeText(end, value)
                                      : OutputSizeText(end, tcp_state, value));
  seen.numbers.push_back(value);
  return seen;
}

}  // namespace net::differential
