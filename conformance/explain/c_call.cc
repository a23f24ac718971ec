#include "conformance/explain/c_call.h"

#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <ctime>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "conformance/explain/c_values.h"
#include "conformance/explain/names.h"
#include "conformance/explain/script.h"
#include "fakes/faults/call_record.h"
#include "fakes/faults/syscall_id.h"
#include "fakes/symbols.h"
#include "syscalls/errors/errno_symbol.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/net/ip_addr.h"
#include "syscalls/syscall_table.h"

namespace net::conformance {
namespace {

// A pointer that no process can read.
constexpr absl::string_view kBadPointer = "BAD_POINTER";

// Returns whether an argument of ioctl(2) is a pointer to an int.
bool IsKnownRequest(int64_t request) {
  return request == FIONREAD || request == FIONBIO || request == SIOCOUTQ ||
         request == SIOCOUTQNSD;
}

// Returns whether an option's value has pointers to other data.
bool HasPointers(int64_t level, int64_t name) {
  return level == SOL_SOCKET && name == SO_ATTACH_FILTER;
}

}  // namespace

bool HasValue(const CallRecord& record) {
  switch (record.call) {
    case SyscallId::kSend:
    case SyscallId::kRecv:
    case SyscallId::kSendTo:
    case SyscallId::kRecvFrom:
    case SyscallId::kSendMsg:
    case SyscallId::kRecvMsg:
    case SyscallId::kSendMMsg:
    case SyscallId::kRecvMMsg:
    case SyscallId::kRead:
    case SyscallId::kWrite:
    case SyscallId::kReadV:
    case SyscallId::kWriteV:
    case SyscallId::kSendFile:
    case SyscallId::kSplice:
    case SyscallId::kPoll:
    case SyscallId::kPPoll:
    case SyscallId::kSelect:
    case SyscallId::kPSelect6:
    case SyscallId::kEpollWait:
    case SyscallId::kEpollPWait:
    case SyscallId::kEpollPWait2:
      return true;
    case SyscallId::kFcntl:
      return record.arguments[1].number == F_GETFD ||
             record.arguments[1].number == F_GETFL ||
             record.arguments[1].number == F_GETPIPE_SZ ||
             record.arguments[1].number == F_SETPIPE_SZ;
    default:
      return false;
  }
}

CallWriter::CallWriter(const Script& script)
    : script_(script), names_(script) {}

// ---- Arguments --------------------------------------------------------------

bool CallWriter::IsBad(size_t i) const {
  return std::find(bad_.begin(), bad_.end(), i) != bad_.end();
}

std::string CallWriter::UnknownTarget(size_t i,
                                      absl::string_view suffix) const {
  if (IsBad(i)) return std::string(kBadPointer);
  return absl::StrCat("BYTES(", Suffixed("buffer", suffix), ")");
}

std::string CallWriter::Address(absl::string_view address, int64_t length) {
  const auto endpoint = WholeEndpoint(address);
  if (!endpoint.has_value()) {
    return absl::StrCat("BYTES(", CString(address), "), ", length);
  }
  return Endpoint(*endpoint, "");
}

std::string CallWriter::Endpoint(const ip::Endpoint& endpoint,
                                 absl::string_view form) {
  const std::string port = names_.OfPort(endpoint.port);
  names_.UsePort(endpoint.port);
  return absl::StrCat(endpoint.addr.is_v4() ? "V4" : "V6", form, "(\"",
                      endpoint.addr.ToString(), "\", ", port, ")");
}

std::string CallWriter::OutAddress(const CallRecord& record, size_t i,
                                   absl::string_view suffix,
                                   std::string& before) const {
  const RecordedArgument& address = record.arguments[i];
  const RecordedArgument& length = record.arguments[i + 1];
  const std::string variable = Suffixed("length", suffix);
  if (length.state != ArgumentState::kNull) {
    absl::StrAppend(&before, variable, " = ", length.number, "; ");
  }
  std::string pointer =
      absl::StrCat("(struct sockaddr *)&", Suffixed("address", suffix));
  std::string size = absl::StrCat("&", variable);
  if (address.state == ArgumentState::kNull) pointer = "NULL";
  if (length.state == ArgumentState::kNull) size = "NULL";
  if (IsBad(i)) pointer = std::string(kBadPointer);
  if (IsBad(i + 1)) size = std::string(kBadPointer);
  if (address.state == ArgumentState::kNull &&
      ArgumentKindsOf(record.call)[i] == ArgumentKind::kAddressOutOrNull) {
    before.clear();  // The kernel ignores the length.
    size = "NULL";
  }
  return absl::StrCat(pointer, ", ", size);
}

std::string CallWriter::OutOption(const CallRecord& record, size_t i,
                                  absl::string_view suffix,
                                  std::string& before) const {
  const RecordedArgument& value = record.arguments[i];
  const RecordedArgument& length = record.arguments[i + 1];
  std::string size = absl::StrCat("&", Suffixed("length", suffix));
  if (length.state == ArgumentState::kNull) {
    size = "NULL";
  } else {
    absl::StrAppend(&before, Suffixed("length", suffix), " = ", length.number,
                    "; ");
  }
  if (IsBad(i + 1)) size = std::string(kBadPointer);
  if (value.state == ArgumentState::kNull) return absl::StrCat("NULL, ", size);
  if (IsBad(i)) {
    return absl::StrCat(kBadPointer, ", ", size);
  }
  const OptionType type = TypeOfOption(record.arguments[1].number,
                                       record.arguments[2].number, value.size);
  absl::string_view variable = "buffer";
  if (type == OptionType::kInt) variable = "&value";
  if (type == OptionType::kLinger) variable = "&linger_value";
  if (type == OptionType::kTimeval) variable = "&time_value";
  if (type == OptionType::kTcpInfo) variable = "&info";
  return absl::StrCat(Suffixed(variable, suffix), ", ", size);
}

absl::StatusOr<std::string> CallWriter::MessageIn(
    const RecordedMessage& message) {
  const bool has_odd_name = message.name_state != ArgumentState::kNull &&
                            !(message.name_state == ArgumentState::kTarget &&
                              WholeEndpoint(message.name).has_value());
  if (has_odd_name || message.buffers_state == ArgumentState::kUnknown) {
    return absl::UnimplementedError("it sends a message with unusual parts");
  }
  std::vector<std::string> fields;
  if (message.name_state == ArgumentState::kTarget) {
    fields.push_back(absl::StrCat(
        ".msg_name = ", Endpoint(*WholeEndpoint(message.name), "_POINTER")));
    fields.push_back(absl::StrCat(".msg_namelen = ", message.name_size));
  }
  std::vector<std::string> buffers;
  absl::string_view data = message.data;
  for (const size_t size : message.buffer_sizes) {
    const bool is_known = message.data_state == ArgumentState::kTarget;
    buffers.push_back(
        absl::StrCat("{", is_known ? CString(data.substr(0, size)) : "payload",
                     ", ", size, "}"));
    data.remove_prefix(std::min(size, data.size()));
  }
  if (!buffers.empty()) {
    fields.push_back(absl::StrCat(".msg_iov = (struct iovec[]){",
                                  absl::StrJoin(buffers, ", "), "}"));
    fields.push_back(absl::StrCat(".msg_iovlen = ", buffers.size()));
  }
  if (message.control_state == ArgumentState::kTarget) {
    fields.push_back(
        absl::StrCat(".msg_control = BYTES(", CString(message.control), ")"));
  }
  if (message.control_state == ArgumentState::kUnknown) {
    fields.push_back(absl::StrCat(".msg_control = ", kBadPointer));
  }
  if (message.control_size != 0) {
    fields.push_back(absl::StrCat(".msg_controllen = ", message.control_size));
  }
  return absl::StrCat("&(struct msghdr){", absl::StrJoin(fields, ", "), "}");
}

std::string CallWriter::MessageOut(const RecordedMessage& message,
                                   absl::string_view suffix) {
  std::vector<std::string> buffers;
  size_t offset = 0;
  for (const size_t size : message.buffer_sizes) {
    buffers.push_back(absl::StrCat("{", Suffixed("buffer", suffix), " + ",
                                   offset, ", ", size, "}"));
    offset += size;
  }
  const std::string name = Suffixed("message", suffix);
  std::string text = absl::StrCat(name, " = (struct msghdr){");
  if (!buffers.empty()) {
    absl::StrAppend(&text, ".msg_iov = (struct iovec[]){",
                    absl::StrJoin(buffers, ", "),
                    "}, .msg_iovlen = ", buffers.size());
  }
  if (message.name_state != ArgumentState::kNull) {
    absl::StrAppend(&text, ", .msg_name = &", Suffixed("address", suffix),
                    ", .msg_namelen = 128");
  }
  if (message.control_state != ArgumentState::kNull) {
    absl::StrAppend(&text, ", .msg_control = control, .msg_controllen = 512");
  }
  return absl::StrCat(text, "}; ");
}

std::string CallWriter::PollSet(const CallRecord& record, size_t i,
                                absl::string_view suffix,
                                std::string& before) const {
  const std::vector<pollfd> set = ElementsOf<pollfd>(record.Target(i));
  std::string name = Suffixed("polled", suffix);
  for (size_t k = 0; k < set.size(); ++k) {
    absl::StrAppend(&before, name, "[", k, "] = (struct pollfd){",
                    names_.OfDescriptor(set[k].fd), ", ",
                    PollEventSymbols(set[k].events), ", 0}; ");
  }
  return name;
}

std::string CallWriter::EpollEvent(const CallRecord& record, size_t i) {
  const auto event = Load<epoll_event>(record.Target(i));
  const int64_t fd = record.arguments[2].number;
  const std::string name = names_.OfDescriptor(fd);
  std::string data = absl::StrCat(".data.u64 = ", event.data.u64, "U");
  if (static_cast<int64_t>(event.data.u64) == fd) {
    data = absl::StrCat(".data.u64 = (uint64_t)", name);
    event_data_[event.data.u64] = absl::StrCat("(uint64_t)", name);
  } else {
    event_data_.erase(event.data.u64);
  }
  return absl::StrCat("&(struct epoll_event){", EpollEventSymbols(event.events),
                      ", ", data, "}");
}

absl::StatusOr<std::string> CallWriter::Argument(const CallRecord& record,
                                                 size_t i,
                                                 absl::string_view suffix,
                                                 std::string& before) {
  const RecordedArgument& argument = record.arguments[i];
  const ArgumentKind kind = ArgumentKindsOf(record.call)[i];
  const absl::string_view target = record.Target(i);
  const auto number = static_cast<int>(argument.number);
  if (IsPointer(kind) && argument.state == ArgumentState::kNull) {
    const bool is_out = kind == ArgumentKind::kAddressOut ||
                        kind == ArgumentKind::kAddressOutOrNull ||
                        kind == ArgumentKind::kOptionOut;
    if (!is_out) return "NULL";
  }
  const bool has_target = argument.state == ArgumentState::kTarget;
  switch (kind) {
    case ArgumentKind::kFd:
      return names_.OfDescriptor(argument.number);
    case ArgumentKind::kDomain:
      return DomainSymbol(number);
    case ArgumentKind::kSocketType:
      return TypeSymbols(number);
    case ArgumentKind::kProtocol:
      return ProtocolSymbol(number);
    case ArgumentKind::kAcceptFlags:
      return AcceptFlagSymbols(number);
    case ArgumentKind::kShutdownHow:
      return ShutdownSymbol(number);
    case ArgumentKind::kOptionLevel:
      return OptionSymbols(number,
                           static_cast<int>(record.arguments[i + 1].number));
    case ArgumentKind::kMessageFlags:
      return MessageFlagSymbols(number);
    case ArgumentKind::kEpollFlags:
      return EpollFlagSymbols(number);
    case ArgumentKind::kEpollOperation:
      return EpollOperationSymbol(number);
    case ArgumentKind::kFcntlCommand:
      return FcntlSymbol(number);
    case ArgumentKind::kFcntlArgument:
      if (argument.state != ArgumentState::kNumber) {
        return absl::UnimplementedError(
            "it calls fcntl(2) with a rare command");
      }
      return FcntlValue(record.arguments[i - 1].number, argument.number);
    case ArgumentKind::kIoctlRequest:
      return IoctlSymbol(static_cast<uint64_t>(argument.number));
    case ArgumentKind::kIoctlArgument:
      if (argument.state == ArgumentState::kNull) return "NULL";
      if (argument.state == ArgumentState::kNumber) return "0";
      if (record.arguments[i - 1].number == FIONBIO && has_target) {
        return absl::StrCat("&(int){", Load<int>(target), "}");
      }
      if (IsBad(i)) return std::string(kBadPointer);
      if (!has_target && !IsKnownRequest(record.arguments[i - 1].number)) {
        return absl::UnimplementedError(
            "it calls ioctl(2) with a rare request");
      }
      return absl::StrCat("&", Suffixed("value", suffix));
    case ArgumentKind::kOpenFlags:
      return OpenFlagSymbols(number);
    case ArgumentKind::kEventFdFlags:
      return EventFdFlagSymbols(number);
    case ArgumentKind::kAddressIn:
      if (!has_target) {
        return absl::StrCat(UnknownTarget(i, suffix), ", ",
                            record.arguments[i + 1].number);
      }
      return Address(target, record.arguments[i + 1].number);
    case ArgumentKind::kAddressOut:
    case ArgumentKind::kAddressOutOrNull:
      return OutAddress(record, i, suffix, before);
    case ArgumentKind::kOptionIn: {
      const int64_t length = record.arguments[i + 1].number;
      if (HasPointers(record.arguments[1].number, record.arguments[2].number)) {
        return absl::UnimplementedError("it sets an option that has pointers");
      }
      if (!has_target) {
        return absl::StrCat(UnknownTarget(i, suffix), ", ", length);
      }
      return OptionArgument(
          TypeOfOption(record.arguments[1].number, record.arguments[2].number,
                       target.size()),
          target, length);
    }
    case ArgumentKind::kOptionOut:
      return OutOption(record, i, suffix, before);
    case ArgumentKind::kDataIn:
      if (has_target) return CString(target);
      return IsBad(i) ? std::string(kBadPointer) : "payload";
    case ArgumentKind::kDataOut:
      return IsBad(i) ? std::string(kBadPointer) : Suffixed("buffer", suffix);
    case ArgumentKind::kMessageIn:
      if (!has_target) return UnknownTarget(i, suffix);
      return MessageIn(record.messages.front());
    case ArgumentKind::kMessageOut:
      if (!has_target) return UnknownTarget(i, suffix);
      if ((record.messages.front().flags & MSG_CTRUNC) != 0) {
        return absl::UnimplementedError(
            "it receives control data in a buffer of an unknown size");
      }
      absl::StrAppend(&before, MessageOut(record.messages.front(), suffix));
      return absl::StrCat("&", Suffixed("message", suffix));
    case ArgumentKind::kPollSet:
      if (!has_target) return UnknownTarget(i, suffix);
      return PollSet(record, i, suffix, before);
    case ArgumentKind::kEpollEventIn:
      if (!has_target) {
        return IsBad(i) ? std::string(kBadPointer) : "NULL";
      }
      return EpollEvent(record, i);
    case ArgumentKind::kEpollEventsOut:
      if (IsBad(i)) return std::string(kBadPointer);
      return Suffixed("events", suffix);
    case ArgumentKind::kTimeIn: {
      if (!has_target) return UnknownTarget(i, suffix);
      const auto time = Load<timespec>(target);
      return absl::StrCat("&(struct timespec){", time.tv_sec, ", ",
                          time.tv_nsec, "}");
    }
    case ArgumentKind::kTimeLeft:
      return "NULL";
    case ArgumentKind::kSignalsIn:
      if (has_target &&
          target.find_first_not_of('\0') == absl::string_view::npos) {
        return "&(sigset_t){0}";
      }
      return absl::UnimplementedError("it waits with a set of signals");
    case ArgumentKind::kFdPairOut:
      if (IsBad(i)) return std::string(kBadPointer);
      return Suffixed("pair", suffix);
    case ArgumentKind::kNumber:
    case ArgumentKind::kSize:
    case ArgumentKind::kLength:
      return absl::StrCat(argument.number);
    default:
      return ArgumentOfSeveral(record, i, suffix, before);
  }
}

absl::StatusOr<CallInC> CallWriter::Write(size_t call,
                                          absl::string_view suffix) {
  const CallRecord& record = script_.calls[call].record;
  bad_ = script_.calls[call].bad_pointers;
  const bool has_null = std::any_of(
      record.arguments.begin(), record.arguments.end(),
      [](const auto& one) { return one.state == ArgumentState::kNull; });
  if (record.result.error() == EFAULT && bad_.empty() && !has_null) {
    return absl::UnimplementedError(
        "it gives a call memory of which a part cannot be used");
  }
  CallInC result;
  std::vector<std::string> arguments;
  const absl::Span<const ArgumentKind> kinds = ArgumentKindsOf(record.call);
  for (size_t i = 0; i < kinds.size(); ++i) {
    const bool is_fcntl_get = kinds[i] == ArgumentKind::kFcntlArgument &&
                              HasValue(record) &&
                              record.arguments[1].number != F_SETPIPE_SZ;
    if (is_fcntl_get) continue;
    absl::StatusOr<std::string> text =
        Argument(record, i, suffix, result.before);
    if (!text.ok()) return text.status();
    arguments.push_back(*std::move(text));
    // The text of a pointer includes its size, and that of a level its name.
    const bool is_with_next =
        (kinds[i] == ArgumentKind::kAddressIn &&
         record.arguments[i].state != ArgumentState::kNull) ||
        kinds[i] == ArgumentKind::kAddressOut ||
        kinds[i] == ArgumentKind::kAddressOutOrNull ||
        (kinds[i] == ArgumentKind::kOptionIn &&
         record.arguments[i].state != ArgumentState::kNull) ||
        kinds[i] == ArgumentKind::kOptionOut ||
        kinds[i] == ArgumentKind::kOptionLevel;
    if (is_with_next) ++i;
  }
  const absl::string_view name = record.call == SyscallId::kPSelect6
                                     ? "pselect"
                                     : SyscallName(record.call);
  result.call = absl::StrCat(name, "(", absl::StrJoin(arguments, ", "), ")");
  return result;
}

}  // namespace net::conformance
