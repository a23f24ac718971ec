// The text of a plan: printing.

#include <array>
#include <charconv>
#include <limits>
#include <ostream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "fakes/faults/fault_plan.h"
#include "syscalls/errors/errno_symbol.h"

namespace net {
namespace {

constexpr int kNoLimit = std::numeric_limits<int>::max();

std::string PatternText(const EndpointPattern& pattern) {
  std::string addr = "*";
  if (pattern.addr.has_value()) {
    addr = pattern.addr->ToString();
    if (pattern.addr->is_v6()) addr = absl::StrCat("[", addr, "]");
  }
  return absl::StrCat(
      addr, ":", pattern.port.has_value() ? absl::StrCat(*pattern.port) : "*");
}

// Returns a call site, in quotes if the parser would not read it back without.
std::string SiteText(absl::string_view site) {
  constexpr absl::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_:./-";
  if (site.find_first_not_of(kPlain) == absl::string_view::npos) {
    return std::string(site);
  }
  std::string text = "\"";
  for (const char c : site) {
    if (c == '"' || c == '\\') text += '\\';
    text += c;
  }
  return text + "\"";
}

std::string FilterText(const FaultSelector& selector) {
  std::vector<std::string> filters;
  const bool is_bind = selector.calls == "bind";
  if (selector.remote.has_value()) {
    filters.push_back(
        absl::StrCat(is_bind ? "remote=" : "", PatternText(*selector.remote)));
  }
  if (selector.local.has_value()) {
    filters.push_back(
        absl::StrCat(is_bind ? "" : "local=", PatternText(*selector.local)));
  }
  if (selector.role == SocketRole::kListener) filters.emplace_back("listener");
  if (selector.role == SocketRole::kConnection) {
    filters.emplace_back("connection");
  }
  if (selector.nth_socket.has_value()) {
    filters.push_back(absl::StrCat("socket ", *selector.nth_socket));
  }
  if (!selector.option.empty()) filters.push_back(selector.option);
  if (!selector.call_site.empty()) {
    filters.push_back(absl::StrCat("from=", SiteText(selector.call_site)));
  }
  if (filters.empty()) return "";
  return absl::StrCat("(", absl::StrJoin(filters, ", "), ")");
}

std::string RangeText(absl::string_view sign, const CountRange& range) {
  if (range.first == range.last) return absl::StrCat(sign, range.first);
  if (range.last == kNoLimit) return absl::StrCat(sign, range.first, "..");
  return absl::StrCat(sign, range.first, "..", range.last);
}

// Returns the shortest text that is read back as the same number.
std::string NumberText(double number) {
  std::array<char, 32> buffer = {};
  const std::to_chars_result end =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), number);
  return std::string(buffer.data(), end.ptr);
}

std::string SelectorText(const FaultSelector& selector) {
  std::string text = absl::StrCat(selector.calls, FilterText(selector));
  if (selector.occurrence != CountRange()) {
    absl::StrAppend(&text, RangeText("#", selector.occurrence));
  }
  if (selector.every != 1) absl::StrAppend(&text, " every ", selector.every);
  if (selector.position.has_value()) {
    absl::StrAppend(&text, RangeText("@", *selector.position));
  }
  if (selector.probability.has_value()) {
    absl::StrAppend(&text, " p=", NumberText(*selector.probability),
                    " seed=", selector.seed);
  }
  return text;
}

std::string ActionText(const FaultAction& action) {
  switch (action.kind) {
    case ActionKind::kError:
      return ErrnoSymbol(action.error);
    case ActionKind::kShort:
      return absl::StrCat("short(", action.bytes, ")");
    case ActionKind::kDelay:
      return absl::StrCat("delay(", absl::FormatDuration(action.delay), ")");
    case ActionKind::kDescriptorZero:
      return "fd0";
    case ActionKind::kReuseNumber:
      return "reuse";
    case ActionKind::kTruncatedAddress:
      return absl::StrCat("truncated(", action.bytes, ")");
    case ActionKind::kErrorConsumed:
      return "consumed";
    case ActionKind::kResetBeforeAccept:
      return "reset";
  }
  return "?";
}

std::string EffectText(const FaultAction& action) {
  switch (action.effect) {
    case Effect::kDefault:
      return "";
    case Effect::kBefore:
      return " before";
    case Effect::kAfter:
      return " after";
    case Effect::kPartial:
      return absl::StrCat(" partial(", action.bytes, ")");
  }
  return "?";
}

}  // namespace

std::string FaultRule::ToString() const {
  return absl::StrCat(SelectorText(selector), "=", ActionText(action),
                      times == kNoLimit ? "" : absl::StrCat("*", times),
                      EffectText(action));
}

std::string FaultPlan::ToString() const {
  return absl::StrJoin(rules, "; ",
                       [](std::string* out, const FaultRule& rule) {
                         out->append(rule.ToString());
                       });
}

std::ostream& operator<<(std::ostream& os, Effect effect) {
  return os << "effect " << static_cast<int>(effect);
}

std::ostream& operator<<(std::ostream& os, ActionKind kind) {
  return os << "action " << static_cast<int>(kind);
}

std::ostream& operator<<(std::ostream& os, SocketRole role) {
  return os << "role " << static_cast<int>(role);
}

std::ostream& operator<<(std::ostream& os, const FaultAction& action) {
  return os << ActionText(action) << EffectText(action);
}

std::ostream& operator<<(std::ostream& os, const EndpointPattern& pattern) {
  return os << PatternText(pattern);
}

std::ostream& operator<<(std::ostream& os, const CountRange& range) {
  return os << RangeText("#", range);
}

std::ostream& operator<<(std::ostream& os, const FaultRule& rule) {
  return os << rule.ToString();
}

std::ostream& operator<<(std::ostream& os, const FaultPlan& plan) {
  return os << plan.ToString();
}

}  // namespace net
