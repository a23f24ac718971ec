#include "fakes/differential/print_case.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "fakes/call.h"
#include "fakes/differential/differ.h"
#include "fakes/differential/observation.h"
#include "fakes/differential/program.h"
#include "fakes/symbols.h"
#include "syscalls/errors/errno_symbol.h"
#include "syscalls/sys_result.h"

namespace net::differential {
namespace {

constexpr absl::string_view kOr = " | ";  // Between flags, in C++.

// Prints the steps of one program in order.
class Printer {
 public:
  // Returns the statements of a step.
  std::string Print(const Step& step, const Observation& expected);

  bool uses_port_of() const { return uses_port_of_; }
  const std::set<int>& slots() const { return slots_; }

 private:
  std::string Slot(int slot);
  std::string Port(const Address& address);
  std::string WithAddress(absl::string_view call, const Step& step);
  std::string WithRoom(absl::string_view call, const Step& step,
                       absl::string_view more);
  std::string Data(const Step& step);
  std::string SetOption(const Step& step);
  std::string GetOption(const Step& step);
  std::string Poll(const Step& step);
  std::string CallText(const Step& step);
  std::string Numbers(const Step& step, const Observation& expected) const;

  // Returns a variable name for this step, for example "address7".
  std::string Own(absl::string_view name) const {
    return absl::StrCat(name, number_);
  }

  size_t number_ = 0;
  std::string before_;  // Declarations that the call needs.
  bool uses_port_of_ = false;
  std::set<int> slots_;
};

std::string Printer::Slot(int slot) {
  if (slot < 0 || slot >= kSlots) return "-1";
  slots_.insert(slot);
  return absl::StrCat("s", slot);
}

std::string Printer::Port(const Address& address) {
  switch (address.port) {
    case PortKind::kZero:
      return "0";
    case PortKind::kPrivileged:
      return absl::StrCat(kPrivilegedPort);
    case PortKind::kFixed:
      return absl::StrCat("kPort + ", address.index);
    case PortKind::kOfSlot:
      uses_port_of_ = true;
      return absl::StrCat("PortOf(sys, ", Slot(address.index), ")");
  }
  return "0";
}

std::string Printer::WithAddress(absl::string_view call, const Step& step) {
  const std::string slot = Slot(step.slot);
  if (step.address.host == Host::kNull) {
    return absl::StrFormat("sys.%s(%s, nullptr, sizeof(sockaddr_in))", call,
                           slot);
  }
  const std::string name = Own("address");
  before_ = absl::StrFormat(
      "  ip::SockAddr %s({*ip::Addr::Parse(\"%s\"),\n"
      "                   static_cast<uint16_t>(%s)});\n",
      name, HostText(step.address.host), Port(step.address));
  if (step.address.host == Host::kUnspec ||
      step.address.host == Host::kUnspecLocal) {
    absl::StrAppend(&before_, "  ", name, ".get()->sa_family = AF_UNSPEC;\n");
  }
  const std::string length =
      step.address.length == kRightLength
          ? absl::StrCat(name, ".size()")
          : absl::StrFormat("static_cast<socklen_t>(%d)", step.address.length);
  return absl::StrFormat("sys.%s(%s, %s.get(), %s)", call, slot, name, length);
}

std::string Printer::WithRoom(absl::string_view call, const Step& step,
                              absl::string_view more) {
  const std::string room = step.length == kRightLength
                               ? "sizeof(sockaddr_storage)"
                               : absl::StrCat(step.length);
  if (!step.null) {
    absl::StrAppend(&before_, "  sockaddr_storage ", Own("name"), " = {};\n");
  }
  if (!step.null_length) {
    absl::StrAppend(&before_, "  auto ", Own("length"),
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

// sendmsg(2) and recvmsg(2) are printed with one part, because their results
// rarely depend on the number of parts.
std::string Printer::Data(const Step& step) {
  const std::string slot = Slot(step.slot);
  const std::string data = Own("data");
  absl::StrAppend(&before_, "  std::string ", data, "(", step.size,
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
    default:
      break;
  }
  absl::StrAppend(&before_, "  iovec ", Own("part"), " = {", pointer, ", ",
                  step.size, "};\n  msghdr ", Own("message"), " = {};\n  ",
                  Own("message"), ".msg_iov = &", Own("part"), ";\n  ",
                  Own("message"), ".msg_iovlen = 1;\n");
  return absl::StrFormat("sys.%s(%s, &%s, %s)",
                         step.call == Call::kSendMsg ? "SendMsg" : "RecvMsg",
                         slot, Own("message"), flags);
}

std::string Printer::SetOption(const Step& step) {
  const std::string value = Own("value");
  if (IsLinger(step.level, step.name)) {
    before_ = absl::StrFormat("  const linger %s = {%d, %d};\n", value,
                              step.value, step.second_value);
  } else if (IsTimeout(step.level, step.name)) {
    before_ = absl::StrFormat("  const timeval %s = {%d, %d};\n", value,
                              step.value, step.second_value);
  } else {
    before_ = absl::StrFormat("  const int %s = %d;\n", value, step.value);
  }
  return absl::StrFormat(
      "sys.SetSockOpt(%s, %s, %s, %s)", Slot(step.slot),
      OptionSymbols(step.level, step.name),
      step.null ? "nullptr" : absl::StrCat("&", value),
      step.length == kRightLength
          ? absl::StrFormat("sizeof(%s)", value)
          : absl::StrFormat("static_cast<socklen_t>(%d)", step.length));
}

std::string Printer::GetOption(const Step& step) {
  const std::string value = Own("value");
  std::string type = "int";
  if (IsLinger(step.level, step.name)) type = "linger";
  if (IsTimeout(step.level, step.name)) type = "timeval";
  if (IsTcpInfo(step.level, step.name)) type = "tcp_info";
  absl::StrAppend(&before_, "  ", type, " ", value, " = {};\n");
  if (!step.null_length) {
    absl::StrAppend(
        &before_, "  auto ", Own("length"), " = static_cast<socklen_t>(",
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

std::string Printer::Poll(const Step& step) {
  std::vector<std::string> entries;
  for (const PollEntry& entry : step.polled) {
    entries.push_back(absl::StrFormat("{%s, %s, 0}", Slot(entry.slot),
                                      PollEventSymbols(entry.events, kOr)));
  }
  before_ = absl::StrFormat("  pollfd %s[] = {%s};\n", Own("polled"),
                            absl::StrJoin(entries, ", "));
  return absl::StrFormat("sys.Poll(%s, %d, 0)", Own("polled"),
                         step.polled.size());
}

std::string Printer::CallText(const Step& step) {
  const std::string slot = Slot(step.slot);
  switch (step.call) {
    case Call::kSocket:
      return absl::StrFormat("sys.Socket(%s, %s | SOCK_NONBLOCK, %d)",
                             DomainSymbol(step.domain),
                             TypeSymbols(step.type, kOr), step.protocol);
    case Call::kBind:
      return WithAddress("Bind", step);
    case Call::kConnect:
      return WithAddress("Connect", step);
    case Call::kListen:
      return absl::StrFormat("sys.Listen(%s, %d)", slot, step.number);
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
      before_ = absl::StrFormat("  int %s = %d;\n", Own("value"), step.value);
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
      before_ = absl::StrFormat("  int %s[2];\n", Own("pipe"));
      return absl::StrFormat("sys.Pipe2(%s, O_NONBLOCK)", Own("pipe"));
    default:
      return Data(step);
  }
}

// Returns expectations for what the call filled in.
std::string Printer::Numbers(const Step& step,
                             const Observation& expected) const {
  std::string text;
  for (size_t i = 0; i < expected.numbers.size(); ++i) {
    const int number = expected.numbers[i];
    if (step.call == Call::kPoll) {
      absl::StrAppendFormat(
          &text, "  EXPECT_EQ(%s[%d].revents, %s);\n", Own("polled"), i,
          PollEventSymbols(static_cast<int16_t>(number), kOr));
    } else if (!step.null) {
      absl::StrAppendFormat(&text, "  EXPECT_EQ(%s, %d);\n", Own("value"),
                            number);
    }
  }
  return text;
}

bool MakesDescriptor(const Step& step) {
  switch (step.call) {
    case Call::kSocket:
    case Call::kAccept4:
    case Call::kDup:
      return true;
    case Call::kFcntl:
      return step.name == F_DUPFD || step.name == F_DUPFD_CLOEXEC;
    default:
      return false;
  }
}

std::string Expectation(const Observation& expected) {
  if (!expected.result.ok()) {
    return absl::StrCat("IsErrno(", ErrnoSymbol(expected.result.error()), ")");
  }
  if (expected.result.value() == 0) return "IsOk()";
  return absl::StrCat("IsOkAndHolds(", expected.result.value(), ")");
}

std::string Printer::Print(const Step& step, const Observation& expected) {
  ++number_;
  if (expected.skipped) return "";
  before_.clear();
  const std::string call = CallText(step);
  std::string text = before_;
  if (step.no_descriptors) {
    absl::StrAppend(&text, "  // The process has no free descriptor:\n");
  }
  if (step.repeated) {
    absl::StrAppend(&text, "  // Repeated until it fails or the stream ends: ",
                    expected.text, "\n  while (", call, ".ok()) {\n  }\n");
    return text;
  }
  if (MakesDescriptor(step) && expected.result.ok() && step.out != kNoSlot) {
    absl::StrAppend(&text, "  ", Slot(step.out), " = ", call, ".fd();\n");
  } else if (MakesDescriptor(step) && expected.result.ok()) {
    absl::StrAppend(&text, "  EXPECT_THAT(", call, ", IsOk());\n");
  } else if (step.call == Call::kDup3 && expected.result.ok()) {
    absl::StrAppend(&text, "  EXPECT_THAT(", call, ", IsOkAndHolds(",
                    Slot(step.out), "));\n");
  } else {
    absl::StrAppend(&text, "  EXPECT_THAT(", call, ", ", Expectation(expected),
                    ");\n");
  }
  if (step.call == Call::kPipe2 && expected.result.ok()) {
    absl::StrAppend(&text, "  ", Slot(step.out), " = ", Own("pipe"), "[0];\n");
  }
  if (step.call == Call::kClose) {
    absl::StrAppend(&text, "  ", Slot(step.slot), " = -1;\n");
  }
  absl::StrAppend(&text, Numbers(step, expected));
  // Results without an expectation above.
  const bool told =
      step.call == Call::kAccept4 || step.call == Call::kGetSockName ||
      step.call == Call::kGetPeerName || step.call == Call::kRecvMsg ||
      (step.call == Call::kGetSockOpt && expected.numbers.empty());
  if (told && expected.result.ok()) {
    absl::StrAppend(&text, "  // ", expected.text, "\n");
  }
  return text;
}

constexpr absl::string_view kPortOf =
    R"(uint16_t PortOf(Syscalls& sys, int fd) {
  ip::SockAddr name;
  if (!sys.GetSockName(fd, name.get(), name.size_ptr()).ok()) return 0;
  return name.ToEndpoint()->port;
}

)";

}  // namespace

std::string PrintCase(absl::string_view name, const Program& program,
                      const Trace& expected) {
  Printer printer;
  std::string body;
  for (size_t i = 0; i < program.size() && i < expected.size(); ++i) {
    absl::StrAppend(&body, printer.Print(program[i], expected[i]));
  }
  std::string text(printer.uses_port_of() ? kPortOf : "");
  absl::StrAppend(&text, "void ", name,
                  "(Context& c) {\n  Syscalls& sys = c.sys();\n");
  for (const int slot : printer.slots()) {
    absl::StrAppend(&text, "  int s", slot, " = -1;\n");
  }
  absl::StrAppend(&text, body);
  for (const int slot : printer.slots()) {
    absl::StrAppend(&text, "  if (s", slot, " >= 0) EXPECT_THAT(sys.Close(s",
                    slot, "), IsOk());\n");
  }
  return absl::StrCat(text, "}\n");
}

std::string PrintDifference(absl::string_view name,
                            const Difference& difference) {
  const std::string expected =
      difference.expected.empty() ? "nothing" : difference.expected.back().text;
  const std::string seen =
      difference.seen.empty() ? "nothing" : difference.seen.back().text;
  return absl::StrCat("// Last call, expected: ", expected,
                      "\n// Last call, actual:   ", seen, "\n",
                      PrintCase(name, difference.program, difference.expected));
}

}  // namespace net::differential
