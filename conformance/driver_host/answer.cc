#include "conformance/driver_host/answer.h"

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "conformance/suite/result.h"
#include "nlohmann/json.hpp"
#include "syscalls/errors/errno_symbol.h"
#include "syscalls/errors/error_kind.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/net/ip_addr.h"

namespace net::conformance {
namespace {

using Json = nlohmann::json;

// The most data that fits a frame of 1 MiB: 512 KiB are 683 KiB in Base64,
// beside the rest of the message.
constexpr uint64_t kMostData = uint64_t{512} * 1024;

absl::Status NoAnswer(absl::string_view why) {
  return absl::InvalidArgumentError(why);
}

// Returns a string member, or "" if it is missing.
std::string OptionalText(const Json& json, const char* name) {
  const auto found = json.find(name);
  if (found == json.end() || !found->is_string()) return "";
  return found->get<std::string>();
}

absl::StatusOr<Error> ParseError(const Json& json) {
  Error error{.text = OptionalText(json, "text")};
  const std::string symbol = OptionalText(json, "errno");
  const std::string kind = OptionalText(json, "kind");
  if (symbol.empty() && kind.empty()) {
    return NoAnswer("an `error` must have an `errno` or a `kind`");
  }
  if (!symbol.empty()) {
    const std::optional<int> number = ErrnoFromSymbol(symbol);
    if (!number.has_value()) {
      return NoAnswer(absl::StrCat("unknown errno '", symbol, "'"));
    }
    error.error_number = *number;
    error.kind = KindOfErrno(*number);
  }
  if (!kind.empty()) {
    const std::optional<ErrorKind> known = KindFromName(kind);
    if (!known.has_value()) {
      return NoAnswer(absl::StrCat("unknown kind '", kind, "'"));
    }
    if (!symbol.empty() && *known != error.kind) {
      return NoAnswer(absl::StrCat(symbol, " is of kind '",
                                   KindName(error.kind), "', not '", kind,
                                   "'"));
    }
    error.kind = *known;
  }
  return error;
}

[[noreturn]] void Lacks(const Json& ok, const char* name,
                        absl::string_view what) {
  throw DriverError(absl::StrCat("the driver answered ", ok.dump(), ": `", name,
                                 "` must be ", what));
}

bool IsPort(const Json& json) {
  return json.is_number_unsigned() && json.get<uint64_t>() <= 65535;
}

Hello::Capability CapabilityFrom(const Json& ok, const Json& value) {
  if (value == "yes") return Hello::Capability::kYes;
  if (value == "no") return Hello::Capability::kNo;
  if (value == "platform") return Hello::Capability::kPlatform;
  Lacks(ok, "capabilities", R"(an object of "yes", "no" and "platform")");
}

// Parses "SIGUSR1", "SIGUSR2", or a real-time signal as in signal(7):
// "SIGRTMIN+1", "SIGRTMAX-1". Other signals have a defined meaning, which a
// program may depend on.
std::optional<int> SignalFromName(absl::string_view name) {
  if (name == "SIGUSR1") return SIGUSR1;
  if (name == "SIGUSR2") return SIGUSR2;
  int signal = 0;
  if (absl::ConsumePrefix(&name, "SIGRTMIN")) {
    signal = SIGRTMIN;
  } else if (absl::ConsumePrefix(&name, "SIGRTMAX")) {
    signal = SIGRTMAX;
  } else {
    return std::nullopt;
  }
  if (name.empty()) return signal;
  // A sign and one or two digits, so the sum cannot overflow.
  int offset = 0;
  if (name.size() > 3 || (name[0] != '+' && name[0] != '-') ||
      !absl::SimpleAtoi(name, &offset)) {
    return std::nullopt;
  }
  signal += offset;
  if (signal < SIGRTMIN || signal > SIGRTMAX) return std::nullopt;
  return signal;
}

}  // namespace

absl::StatusOr<Answer> ParseAnswer(absl::string_view message) {
  const Json json = Json::parse(message.begin(), message.end(), nullptr,
                                /*allow_exceptions=*/false);
  if (!json.is_object()) return NoAnswer("a message must be a JSON object");
  const auto id = json.find("id");
  if (id == json.end() || !id->is_number_unsigned()) {
    return NoAnswer("an answer must have the `id` of its command");
  }
  Answer answer{.id = id->get<uint64_t>(), .content = {}};
  int contents = 0;
  for (const char* name : {"ok", "error", "unsupported", "internal"}) {
    const auto found = json.find(name);
    if (found == json.end()) continue;
    if (!found->is_object()) {
      return NoAnswer(absl::StrCat("`", name, "` must be an object"));
    }
    ++contents;
    if (absl::string_view(name) == "ok") {
      answer.content = *found;
    } else if (absl::string_view(name) == "error") {
      absl::StatusOr<Error> error = ParseError(*found);
      if (!error.ok()) return error.status();
      answer.content = *std::move(error);
    } else if (absl::string_view(name) == "unsupported") {
      answer.content = Unsupported{OptionalText(*found, "reason")};
    } else {
      answer.content = Internal{OptionalText(*found, "text")};
    }
  }
  if (contents != 1) {
    return NoAnswer(
        "an answer must have exactly one of `ok`, `error`, `unsupported` and "
        "`internal`");
  }
  return answer;
}

uint64_t NumberIn(const Json& ok, const char* name) {
  const auto found = ok.find(name);
  if (found == ok.end() || !found->is_number_unsigned()) {
    Lacks(ok, name, "an integer, at least 0");
  }
  return found->get<uint64_t>();
}

uint16_t PortIn(const Json& ok, const char* name) {
  const auto found = ok.find(name);
  if (found == ok.end() || !IsPort(*found)) Lacks(ok, name, "0 to 65535");
  return found->get<uint16_t>();
}

int IntIn(const Json& ok, const char* name, int least) {
  const uint64_t number = NumberIn(ok, name);
  constexpr int kMost = std::numeric_limits<int>::max();
  if (number < static_cast<uint64_t>(least) ||
      number > static_cast<uint64_t>(kMost)) {
    Lacks(ok, name, absl::StrCat(least, " to ", kMost));
  }
  return static_cast<int>(number);
}

std::vector<uint16_t> PortsIn(const Json& ok, const char* name, size_t count) {
  const auto found = ok.find(name);
  if (found == ok.end() || !found->is_array() || found->size() != count ||
      !std::all_of(found->begin(), found->end(), IsPort)) {
    Lacks(ok, name, absl::StrCat("an array of ", count, " ports, 0 to 65535"));
  }
  return found->get<std::vector<uint16_t>>();
}

std::string TextIn(const Json& ok, const char* name) {
  const auto found = ok.find(name);
  if (found == ok.end() || !found->is_string()) Lacks(ok, name, "a string");
  return found->get<std::string>();
}

ip::Endpoint EndpointFrom(const Json& json) {
  const uint16_t port = PortIn(json, "port");
  const auto addr = ip::Addr::Parse(TextIn(json, "address"));
  if (!addr.has_value()) Lacks(json, "address", "an IP address");
  return {*addr, port};
}

Hello HelloFrom(const Json& ok) {
  Hello hello;
  if (NumberIn(ok, "version") != 1) {
    Lacks(ok, "version", "one of the offered versions");
  }
  hello.name = TextIn(ok, "name");
  hello.implementation_version = TextIn(ok, "implementation_version");
  hello.language = TextIn(ok, "language");
  hello.pid = IntIn(ok, "pid", 1);
  if (ok.contains("signal")) {
    hello.signal = SignalFromName(TextIn(ok, "signal"));
    if (!hello.signal.has_value())
      Lacks(ok, "signal", "SIGUSR1, SIGUSR2 or a real-time signal");
  }
  if (const auto all = ok.find("capabilities"); all != ok.end()) {
    if (!all->is_object()) Lacks(ok, "capabilities", "an object");
    for (const auto& [name, value] : all->items()) {
      hello.capabilities[name] = CapabilityFrom(ok, value);
    }
  }
  if (const auto limits = ok.find("limits"); limits != ok.end()) {
    if (!limits->is_object()) Lacks(ok, "limits", "an object");
    if (limits->contains("operations")) {
      hello.operations = NumberIn(*limits, "operations");
      if (hello.operations == 0) Lacks(*limits, "operations", "at least 1");
    }
    if (limits->contains("data")) {
      hello.data = std::min(NumberIn(*limits, "data"), kMostData);
    }
    if (hello.data == 0) Lacks(*limits, "data", "at least 1");
  }
  return hello;
}

}  // namespace net::conformance
