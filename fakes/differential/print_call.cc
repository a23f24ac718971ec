#include "fakes/differential/print_call.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "fakes/call.h"
#include "fakes/differential/program.h"
#include "fakes/symbols.h"

namespace net::differential {
namespace {

constexpr absl::string_view kOr = " | ";  // Between flags, in C++.

}  // namespace

std::string CallPrinter::Print(const Step& step) {
  ++number_;
  declarations_.clear();
  return TextOf(step);
}

std::string CallPrinter::Slot(int slot) {
  if (slot < 0 || slot >= kSlots) return "-1";
  slots_.insert(slot);
  return absl::StrCat("s", slot);
}

std::string CallPrinter::Port(const Address& address) {
  switch (address.port) {
    case PortKind::kZero:
      return "0";
    case PortKind::kPrivileged:
      return absl::StrCat(kPrivilegedPort);
    case PortKind::kFixed:
      return absl::StrCat("kPort + ", address.index);
    case PortKind::kOfSlot:
      uses_port_of_ = true;
      if (in_thread_) {
        ports_.insert(address.index);
        return absl::StrCat("port", address.index);
      }
      return absl::StrCat("PortOf(sys, ", Slot(address.index), ")");
  }
  return "0";
}

std::string CallPrinter::WithAddress(absl::string_view call, const Step& step) {
  return absl::StrFormat("sys.%s(%s, %s)", call, Slot(step.slot),
                         AddressOf(step));
}

// Returns the address of a step and its length.
std::string CallPrinter::AddressOf(const Step& step) {
  if (step.address.host == Host::kNull) return "nullptr, sizeof(sockaddr_in)";
  const std::string name = Own("address");
  absl::StrAppendFormat(&declarations_,
                        "  ip::SockAddr %s({*ip::Addr::Parse(\"%s\"),\n"
                        "                   static_cast<uint16_t>(%s)});\n",
                        name, HostText(step.address.host), Port(step.address));
  if (step.address.host == Host::kUnspec ||
      step.address.host == Host::kUnspecLocal) {
    absl::StrAppend(&declarations_, "  ", name,
                    ".get()->sa_family = AF_UNSPEC;\n");
  }
  const std::string length =
      step.address.length == kRightLength
          ? absl::StrCat(name, ".size()")
          : absl::StrFormat("static_cast<socklen_t>(%d)", step.address.length);
  return absl::StrCat(name, ".get(), ", length);
}

std::string CallPrinter::WithRoom(absl::string_view call, const Step& step,
                                  absl::string_view more) {
  const std::string room = step.length == kRightLength
                               ? "sizeof(sockaddr_storage)"
                               : absl::StrCat(step.length);
  if (!step.null) {
    absl::StrAppend(&declarations_, "  sockaddr_storage ", Own("name"),
                    " = {};\n");
  }
  if (!step.null_length) {
    absl::StrAppend(&declarations_, "  auto ", Own("length"),
                    " = static_cast<socklen_t>(", room, ");\n");
  }
  const std::string name =
      step.null
          ? "nullptr"
          : absl::StrCat("reinterpret_cast<sockaddr*>(&", Own("name"), ")");
  const std::string length =
      step.null_length ? "nullptr" : absl::StrCat("&", Own("length"));
  return absl::StrFormat("sys.%s(%s, %s, %s%s)", call, Slot(step.slot), name,
                         length, more);
}

// sendmsg(2), readv(2) and the like are printed with one part, because their
// results rarely depend on the number of parts.
std::string CallPrinter::Data(const Step& step) {
  const std::string slot = Slot(step.slot);
  const std::string data = Own("data");
  absl::StrAppend(&declarations_, "  std::string ", data, "(", step.size,
                  ", 'x');\n");
  const std::string pointer =
      step.null ? "nullptr" : absl::StrCat(data, ".data()");
  const std::string flags = MessageFlagSymbols(step.flags, kOr);
  switch (step.call) {
    case Call::kRead:
      return absl::StrFormat("sys.Read(%s, %s, %d)", slot, pointer, step.size);
    case Call::kWrite:
      return absl::StrFormat("sys.Write(%s, %s, %d)", slot, pointer, step.size);
    case Call::kSend:
    case Call::kRecv:
      return absl::StrFormat("sys.%s(%s, %s, %d, %s)",
                             step.call == Call::kSend ? "Send" : "Recv", slot,
                             pointer, step.size, flags);
    case Call::kSendTo:
      return absl::StrFormat("sys.SendTo(%s, %s, %d, %s, %s)", slot, pointer,
                             step.size, flags, AddressOf(step));
    case Call::kRecvFrom:
      return RecvFrom(step, pointer, flags);
    case Call::kSplice:
    case Call::kSendFile:
      return step.to == kNoSlot ? ThroughPipe(step) : Between(step);
    default:
      break;
  }
  absl::StrAppend(&declarations_, "  iovec ", Own("part"), " = {", pointer,
                  ", ", step.size, "};\n");
  if (step.call == Call::kReadV || step.call == Call::kWriteV) {
    return absl::StrFormat("sys.%s(%s, &%s, 1)",
                           step.call == Call::kReadV ? "ReadV" : "WriteV", slot,
                           Own("part"));
  }
  absl::StrAppend(&declarations_, "  msghdr ", Own("message"), " = {};\n  ",
                  Own("message"), ".msg_iov = &", Own("part"), ";\n  ",
                  Own("message"), ".msg_iovlen = 1;\n");
  return absl::StrFormat("sys.%s(%s, &%s, %s)",
                         step.call == Call::kSendMsg ? "SendMsg" : "RecvMsg",
                         slot, Own("message"), flags);
}

std::string CallPrinter::RecvFrom(const Step& step, absl::string_view pointer,
                                  absl::string_view flags) {
  absl::StrAppend(&declarations_, "  sockaddr_storage ", Own("name"),
                  " = {};\n  auto ", Own("length"),
                  " = static_cast<socklen_t>(",
                  step.length == kRightLength ? "sizeof(sockaddr_storage)"
                                              : absl::StrCat(step.length),
                  ");\n");
  return absl::StrFormat(
      "sys.RecvFrom(%s, %s, %d, %s, reinterpret_cast<sockaddr*>(&%s), %s)",
      Slot(step.slot), pointer, step.size, flags, Own("name"),
      step.null_length ? "nullptr" : absl::StrCat("&", Own("length")));
}

std::string CallPrinter::Between(const Step& step) {
  const std::string from = Slot(step.slot);
  declarations_.clear();
  return step.call == Call::kSendFile
             ? absl::StrFormat("sys.SendFile(%s, %s, nullptr, %d)",
                               Slot(step.to), from, step.size)
             : absl::StrFormat("sys.Splice(%s, nullptr, %s, nullptr, %d, %s)",
                               from, Slot(step.to), step.size,
                               step.flags == 0 ? "0" : "SPLICE_F_NONBLOCK");
}

std::string CallPrinter::ThroughPipe(const Step& step) {
  const std::string pipe = Own("pipe");
  absl::StrAppendFormat(&declarations_,
                        "  int %s[2];\n"
                        "  ASSERT_THAT(sys.Pipe2(%s, O_NONBLOCK), IsOk());\n",
                        pipe, pipe);
  if (step.call == Call::kSendFile) {
    return absl::StrFormat("sys.SendFile(%s[1], %s, nullptr, %d)", pipe,
                           Slot(step.slot), step.size);
  }
  absl::StrAppendFormat(&declarations_, "  sys.Write(%s[1], %s.data(), %d);\n",
                        pipe, Own("data"), step.size);
  return absl::StrFormat("sys.Splice(%s[0], nullptr, %s, nullptr, %d, 0)", pipe,
                         Slot(step.slot), step.size);
}

std::string CallPrinter::SetOption(const Step& step) {
  const std::string value = Own("value");
  if (IsLinger(step.level, step.name)) {
    declarations_ = absl::StrFormat("  const linger %s = {%d, %d};\n", value,
                                    step.value, step.second_value);
  } else if (IsTimeout(step.level, step.name)) {
    declarations_ = absl::StrFormat("  const timeval %s = {%d, %d};\n", value,
                                    step.value, step.second_value);
  } else {
    declarations_ =
        absl::StrFormat("  const int %s = %d;\n", value, step.value);
  }
  return absl::StrFormat(
      "sys.SetSockOpt(%s, %s, %s, %s)", Slot(step.slot),
      OptionSymbols(step.level, step.name),
      step.null ? "nullptr" : absl::StrCat("&", value),
      step.length == kRightLength
          ? absl::StrFormat("sizeof(%s)", value)
          : absl::StrFormat("static_cast<socklen_t>(%d)", step.length));
}

std::string CallPrinter::GetOption(const Step& step) {
  const std::string value = Own("value");
  std::string type = "int";
  if (IsLinger(step.level, step.name)) type = "linger";
  if (IsTimeout(step.level, step.name)) type = "timeval";
  if (IsTcpInfo(step.level, step.name)) type = "tcp_info";
  absl::StrAppend(&declarations_, "  ", type, " ", value, " = {};\n");
  if (!step.null_length) {
    absl::StrAppend(
        &declarations_, "  auto ", Own("length"), " = static_cast<socklen_t>(",
        step.length == kRightLength ? absl::StrCat("sizeof(", value, ")")
                                    : absl::StrCat(step.length),
        ");\n");
  }
  return absl::StrFormat(
      "sys.GetSockOpt(%s, %s, %s, %s)", Slot(step.slot),
      OptionSymbols(step.level, step.name),
      step.null ? "nullptr" : absl::StrCat("&", value),
      step.null_length ? "nullptr" : absl::StrCat("&", Own("length")));
}

std::string CallPrinter::Poll(const Step& step) {
  std::vector<std::string> entries;
  for (const PollEntry& entry : step.polled) {
    entries.push_back(absl::StrFormat("{%s, %s, 0}", Slot(entry.slot),
                                      PollEventSymbols(entry.events, kOr)));
  }
  declarations_ = absl::StrFormat("  pollfd %s[] = {%s};\n", Own("polled"),
                                  absl::StrJoin(entries, ", "));
  return absl::StrFormat("sys.Poll(%s, %d, %d)", Own("polled"),
                         step.polled.size(), step.number);
}

std::string CallPrinter::TextOf(const Step& step) {
  const std::string slot = Slot(step.slot);
  switch (step.call) {
    case Call::kSocket:
      return absl::StrFormat(
          "sys.Socket(%s, %s, %d)", DomainSymbol(step.domain),
          TypeSymbols(step.type | (in_thread_ ? 0 : int{SOCK_NONBLOCK}), kOr),
          step.protocol);
    case Call::kBind:
      return WithAddress("Bind", step);
    case Call::kConnect:
      return WithAddress("Connect", step);
    case Call::kListen:
      return absl::StrFormat("sys.Listen(%s, %d)", slot, step.number);
    case Call::kAccept:
      return WithRoom("Accept", step, "");
    case Call::kAccept4:
      return WithRoom("Accept4", step,
                      absl::StrCat(", ", AcceptFlagSymbols(step.flags, kOr)));
    case Call::kGetSockName:
      return WithRoom("GetSockName", step, "");
    case Call::kGetPeerName:
      return WithRoom("GetPeerName", step, "");
    case Call::kSetSockOpt:
      return SetOption(step);
    case Call::kGetSockOpt:
      return GetOption(step);
    case Call::kShutdown:
      return absl::StrFormat("sys.Shutdown(%s, %d)", slot, step.number);
    case Call::kPoll:
      return Poll(step);
    case Call::kFcntl:
      return absl::StrFormat("sys.Fcntl(%s, %s, %d)", slot,
                             FcntlSymbol(step.name), step.value);
    case Call::kIoctl:
      declarations_ =
          absl::StrFormat("  int %s = %d;\n", Own("value"), step.value);
      return absl::StrFormat(
          "sys.Ioctl(%s, %s, %s)", slot,
          IoctlSymbol(static_cast<uint64_t>(step.name)),
          step.null ? "0"
                    : absl::StrFormat("reinterpret_cast<intptr_t>(&%s)",
                                      Own("value")));
    case Call::kDup:
      return absl::StrFormat("sys.Dup(%s)", slot);
    case Call::kDup3:
      return absl::StrFormat("sys.Dup3(%s, %s, %#x)", slot, Slot(step.out),
                             step.flags);
    case Call::kClose:
      return absl::StrFormat("sys.Close(%s)", slot);
    case Call::kPipe2:
      declarations_ = absl::StrFormat("  int %s[2];\n", Own("pipe"));
      return absl::StrFormat(
          "sys.Pipe2(%s, %s)", Own("pipe"),
          step.to != kNoSlot && step.flags == 0 ? "0" : "O_NONBLOCK");
    default:
      return Data(step);
  }
}

bool MakesDescriptor(const Step& step) {
  switch (step.call) {
    case Call::kSocket:
    case Call::kAccept:
    case Call::kAccept4:
    case Call::kDup:
      return true;
    case Call::kFcntl:
      return step.name == F_DUPFD || step.name == F_DUPFD_CLOEXEC;
    default:
      return false;
  }
}

absl::string_view PortOfText() {
  return R"(uint16_t PortOf(Syscalls& sys, int fd) {
  ip::SockAddr name;
  if (!sys.GetSockName(fd, name.get(), name.size_ptr()).ok()) return 0;
  return name.ToEndpoint()->port;
}

)";
}

}  // namespace net::differential
