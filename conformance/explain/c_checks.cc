// The results of calls: methods of CallWriter.

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
#include "conformance/explain/c_call.h"
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

Statement Is(absl::string_view expected, absl::string_view actual) {
  return {.line = absl::StrCat("IS(", expected, ", ", actual, ");")};
}

}  // namespace

Statement CallWriter::Line(size_t call, absl::string_view expression,
                           absl::string_view type) const {
  const CallRecord& record = script_.calls[call].record;
  if (!record.result.ok()) {
    const std::string line = absl::StrCat(
        "FAILS(", ErrnoSymbol(record.result.error()), ", ", expression, ");");
    return {.line = line, .without_value = line};
  }
  const std::string succeeds = absl::StrCat("SUCCEEDS(", expression, ");");
  if (MakesDescriptor(record)) {
    const std::string line =
        absl::StrCat(type, names_.OfNew(call), " = ", succeeds);
    return {.line = line, .without_value = line};
  }
  if (!HasValue(record)) return {.line = succeeds, .without_value = succeeds};
  std::string value = absl::StrCat(record.result.value());
  if (record.call == SyscallId::kFcntl) {
    value = FcntlValue(record.arguments[1].number, record.result.value());
  }
  return {.line = absl::StrCat("RETURNS(", value, ", ", expression, ");"),
          .without_value = succeeds};
}

void CallWriter::CheckAddress(const CallRecord& record, size_t i,
                              absl::string_view suffix,
                              std::vector<Statement>& checks) {
  if (record.arguments[i].state != ArgumentState::kTarget) return;
  const auto before = static_cast<socklen_t>(record.arguments[i + 1].number);
  const auto after = Load<socklen_t>(record.Target(i + 1));
  const auto endpoint = WholeEndpoint(record.Target(i));
  if (!endpoint.has_value()) {
    checks.push_back(Is(absl::StrCat(after), Suffixed("length", suffix)));
    return;
  }
  const std::string variable = absl::StrCat("&", Suffixed("address", suffix));
  if (const auto port = names_.LearnPort(endpoint->port)) {
    checks.push_back(
        {.line = absl::StrCat("int ", *port, " = PORT(", variable, ");")});
    checks.back().without_value = checks.back().line;
  }
  if (after != before && before < sizeof(sockaddr_in6)) {
    checks.push_back(Is(absl::StrCat(after), Suffixed("length", suffix)));
  }
  checks.push_back({.line = absl::StrCat(
                        "IS_ADDRESS(\"", endpoint->addr.ToString(), "\", ",
                        names_.OfPort(endpoint->port), ", ", variable, ");")});
}

void CallWriter::CheckOption(const CallRecord& record, size_t i,
                             absl::string_view suffix,
                             std::vector<Statement>& checks) {
  if (record.arguments[i].state != ArgumentState::kTarget) return;
  const auto after = Load<socklen_t>(record.Target(i + 1));
  if (after != static_cast<socklen_t>(record.arguments[i + 1].number) ||
      record.arguments[i].size != after) {
    checks.push_back(Is(absl::StrCat(after), Suffixed("length", suffix)));
  }
  const absl::string_view bytes = record.Target(i);
  const int64_t level = record.arguments[1].number;
  const int64_t name = record.arguments[2].number;
  switch (TypeOfOption(level, name, bytes.size())) {
    case OptionType::kInt: {
      const int value = Load<int>(bytes);
      const bool is_errno = level == SOL_SOCKET && name == SO_ERROR;
      checks.push_back(
          Is(is_errno && value != 0 ? ErrnoSymbol(value) : absl::StrCat(value),
             Suffixed("value", suffix)));
      return;
    }
    case OptionType::kLinger: {
      const std::string variable = Suffixed("linger_value", suffix);
      const auto value = Load<linger>(bytes);
      checks.push_back(
          Is(absl::StrCat(value.l_onoff), absl::StrCat(variable, ".l_onoff")));
      checks.push_back(Is(absl::StrCat(value.l_linger),
                          absl::StrCat(variable, ".l_linger")));
      return;
    }
    case OptionType::kTimeval: {
      const std::string variable = Suffixed("time_value", suffix);
      const auto value = Load<timeval>(bytes);
      checks.push_back(
          Is(absl::StrCat(value.tv_sec), absl::StrCat(variable, ".tv_sec")));
      checks.push_back(
          Is(absl::StrCat(value.tv_usec), absl::StrCat(variable, ".tv_usec")));
      return;
    }
    case OptionType::kTcpInfo: {
      // The first byte; the others depend on the time.
      if (bytes.empty()) return;
      checks.push_back(
          Is(absl::StrCat(static_cast<int>(bytes.front())),
             absl::StrCat(Suffixed("info", suffix), ".tcpi_state")));
      return;
    }
    case OptionType::kBytes:
      CheckData(bytes, suffix, checks);
  }
}

void CallWriter::CheckData(absl::string_view data, absl::string_view suffix,
                           std::vector<Statement>& checks) {
  if (data.empty()) return;
  checks.push_back(
      {.line = absl::StrCat("IS_DATA(", CString(data), ", ", data.size(), ", ",
                            Suffixed("buffer", suffix), ");")});
}

void CallWriter::CheckPollSet(const CallRecord& record, size_t i,
                              absl::string_view suffix,
                              std::vector<Statement>& checks) {
  const std::vector<pollfd> set = ElementsOf<pollfd>(record.Target(i));
  if (!record.result.ok() || record.result.value() == 0) return;
  for (size_t k = 0; k < set.size(); ++k) {
    checks.push_back(
        Is(PollEventSymbols(set[k].revents),
           absl::StrCat(Suffixed("polled", suffix), "[", k, "].revents")));
  }
}

void CallWriter::CheckEpollEvents(const CallRecord& record, size_t i,
                                  absl::string_view suffix,
                                  std::vector<Statement>& checks) const {
  const std::vector<epoll_event> events =
      ElementsOf<epoll_event>(record.Target(i));
  for (size_t k = 0; k < events.size(); ++k) {
    const std::string event =
        absl::StrCat(Suffixed("events", suffix), "[", k, "]");
    checks.push_back(Is(EpollEventSymbols(events[k].events),
                        absl::StrCat(event, ".events")));
    const uint64_t data = events[k].data.u64;
    const auto named = event_data_.find(data);
    checks.push_back(
        Is(named == event_data_.end() ? absl::StrCat(data, "U") : named->second,
           absl::StrCat(event, ".data.u64")));
  }
}

std::vector<Statement> CallWriter::Checks(size_t call,
                                          absl::string_view suffix) {
  const CallRecord& record = script_.calls[call].record;
  std::vector<Statement> checks;
  names_.Return(call);
  if (!record.result.ok()) return checks;
  const absl::Span<const ArgumentKind> kinds = ArgumentKindsOf(record.call);
  for (size_t i = 0; i < kinds.size(); ++i) {
    switch (kinds[i]) {
      case ArgumentKind::kAddressOut:
      case ArgumentKind::kAddressOutOrNull:
        CheckAddress(record, i, suffix, checks);
        break;
      case ArgumentKind::kOptionOut:
        CheckOption(record, i, suffix, checks);
        break;
      case ArgumentKind::kDataOut:
        CheckData(record.Target(i), suffix, checks);
        break;
      case ArgumentKind::kMessageOut:
        if (!record.messages.empty()) {
          const RecordedMessage& message = record.messages.front();
          if (message.data_state == ArgumentState::kTarget) {
            CheckData(message.data, suffix, checks);
          }
          checks.push_back(
              Is(MessageFlagSymbols(message.flags),
                 absl::StrCat(Suffixed("message", suffix), ".msg_flags")));
        }
        break;
      case ArgumentKind::kPollSet:
        CheckPollSet(record, i, suffix, checks);
        break;
      case ArgumentKind::kEpollEventsOut:
        CheckEpollEvents(record, i, suffix, checks);
        break;
      case ArgumentKind::kIoctlArgument:
        if (record.arguments[i].state == ArgumentState::kTarget &&
            record.arguments[i - 1].number != FIONBIO) {
          checks.push_back(Is(absl::StrCat(Load<int>(record.Target(i))),
                              Suffixed("value", suffix)));
        }
        break;
      case ArgumentKind::kFdPairOut: {
        const std::string& name = names_.OfNew(call);
        checks.push_back({.line = absl::StrCat(
                              "int ", name, "[2] = {", Suffixed("pair", suffix),
                              "[0], ", Suffixed("pair", suffix), "[1]};")});
        checks.back().without_value = checks.back().line;
        break;
      }
      default:
        CheckSeveral(record, i, suffix, checks);
        break;
    }
  }
  return checks;
}

}  // namespace net::conformance
