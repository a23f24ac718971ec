// The text of a plan: parsing. The grammar is that of fault_plan.h.

#include <cctype>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "fakes/faults/applicable.h"
#include "fakes/faults/fault_plan.h"
#include "fakes/faults/syscall_id.h"
#include "fakes/symbols.h"
#include "syscalls/errors/errno_symbol.h"
#include "syscalls/net/ip_addr.h"
#include "syscalls/testing/nearest.h"

namespace net {
namespace {

// Linux's largest errno (MAX_ERRNO in include/linux/err.h).
constexpr int kMaxErrno = 4095;

bool IsWordCharacter(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// "E4711", as ErrnoSymbol() writes an errno without a name.
std::optional<int> NumberedErrno(absl::string_view word) {
  int number = 0;
  if (word.size() < 2 || word[0] != 'E' || !IsDigit(word[1])) {
    return std::nullopt;
  }
  if (!absl::SimpleAtoi(word.substr(1), &number)) return std::nullopt;
  if (number < 1 || number > kMaxErrno) return std::nullopt;
  return number;
}

std::vector<std::string> ActionNames() {
  std::vector<std::string> names = {"short", "delay",    "fd0",      "reuse",
                                    "reset", "consumed", "truncated"};
  constexpr int kLastNamedErrno = 133;  // EHWPOISON.
  for (int error = 1; error <= kLastNamedErrno; ++error) {
    names.push_back(ErrnoSymbol(error));
  }
  return names;
}

std::vector<std::string> FilterNames() {
  std::vector<std::string> names = AllOptionSymbols();
  for (const std::string& command : AllFcntlSymbols()) names.push_back(command);
  for (const char* name :
       {"listener", "connection", "socket", "local", "remote", "from"}) {
    names.emplace_back(name);
  }
  return names;
}

// Which calls can have the filter of that option: "" if it is no option.
absl::string_view CallsWithOption(absl::string_view option) {
  if (OptionFromSymbol(option).has_value()) return "setsockopt and getsockopt";
  if (FcntlFromSymbol(option).has_value()) return "fcntl";
  return "";
}

bool HasOption(SyscallId call, absl::string_view option) {
  if (FcntlFromSymbol(option).has_value()) return call == SyscallId::kFcntl;
  return call == SyscallId::kSetSockOpt || call == SyscallId::kGetSockOpt;
}

class Parser {
 public:
  explicit Parser(absl::string_view text) : text_(text) {}

  absl::StatusOr<FaultPlan> Parse() {
    FaultPlan plan;
    SkipSpace();
    if (AtEnd()) return plan;
    do {
      plan.rules.emplace_back();
      Rule(plan.rules.back());
    } while (ok() && Consume(";"));
    if (ok() && !AtEnd()) Expected("';' or the end");
    if (!ok()) return absl::InvalidArgumentError(error_);
    return plan;
  }

 private:
  bool ok() const { return error_.empty(); }
  bool AtEnd() const { return position_ == text_.size(); }

  void SkipSpace() {
    while (!AtEnd() &&
           std::isspace(static_cast<unsigned char>(text_[position_])) != 0) {
      ++position_;
    }
  }

  absl::string_view Rest() const { return text_.substr(position_); }

  // Skips the token, and space around it, if it is next.
  bool Consume(absl::string_view token) {
    SkipSpace();
    if (!absl::StartsWith(Rest(), token)) return false;
    position_ += token.size();
    SkipSpace();
    return true;
  }

  // Skips the word if it is next, and is not only the beginning of one.
  bool ConsumeWord(absl::string_view word) {
    SkipSpace();
    if (PeekWord() != word) return false;
    position_ += word.size();
    SkipSpace();
    return true;
  }

  // Returns the word at the position; "" if there is none.
  absl::string_view PeekWord() const {
    size_t end = position_;
    while (end < text_.size() && IsWordCharacter(text_[end])) ++end;
    return text_.substr(position_, end - position_);
  }

  // The first error counts.
  void Fail(size_t position, absl::string_view message) {
    if (!ok()) return;
    error_ = absl::StrCat("column ", position + 1, ": ", message);
  }

  // Returns how a message names what is at the position.
  std::string Found() const {
    if (AtEnd()) return "the end";
    const absl::string_view word = PeekWord();
    return absl::StrCat("'", word.empty() ? text_.substr(position_, 1) : word,
                        "'");
  }

  void Expected(absl::string_view expected,
                absl::Span<const std::string> names = {}) {
    SkipSpace();
    Fail(position_, absl::StrCat("expected ", expected, ", not ", Found(),
                                 DidYouMean(PeekWord(), names)));
  }

  void Require(absl::string_view token, absl::string_view expected) {
    if (ok() && !Consume(token)) Expected(expected);
  }

  // Parses a decimal number from `least` to the largest of the type.
  template <typename T>
  T Number(T least, absl::string_view expected) {
    SkipSpace();
    const size_t start = position_;
    size_t end = start;
    while (end < text_.size() && IsDigit(text_[end])) ++end;
    const absl::string_view digits = text_.substr(start, end - start);
    T number = least;
    if (digits.empty()) {
      Expected(expected);
    } else if (!absl::SimpleAtoi(digits, &number) || number < least) {
      Fail(start, absl::StrCat("expected ", expected, ", not ", digits));
    }
    if (ok()) position_ = end;
    return number;
  }

  int Count() { return Number<int>(1, "a number from 1 to 2147483647"); }

  void Rule(FaultRule& rule) {
    SkipSpace();
    const size_t start = position_;
    Calls(rule.selector);
    if (ok() && Consume("(")) Filters(rule.selector);
    if (ok()) Counts(rule.selector, start);
    Require("=", "'('; '#', 'every', '@' or 'p='; or '=' and an action");
    SkipSpace();
    const size_t action = position_;
    if (ok()) Action(rule);
    if (ok()) RequireApplicable(rule, action);
  }

  void Calls(FaultSelector& selector) {
    size_t size = PeekWord().size();
    if (absl::StartsWith(Rest().substr(size), "!") ||
        absl::StartsWith(Rest(), "*")) {
      ++size;
    }
    const absl::string_view calls = Rest().substr(0, size);
    selected_ = SelectSyscalls(calls);
    if (!selected_.has_value()) {
      if (absl::EndsWith(calls, "!")) {
        Fail(position_, absl::StrCat("'", calls,
                                     "': only names that are a "
                                     "call's and a family's have a '!'"));
      }
      Expected("the name of a system call, a family or '*'",
               SyscallSelections());
      return;
    }
    selector.calls = std::string(calls);
    position_ += size;
  }

  void Filters(FaultSelector& selector) {
    do {
      SkipSpace();
      Filter(selector);
    } while (ok() && Consume(","));
    Require(")", "',' or ')'");
  }

  void Filter(FaultSelector& selector) {
    const size_t start = position_;
    const absl::string_view word = PeekWord();
    if (Rest().empty() || !IsWordCharacter(Rest()[0]) || IsDigit(Rest()[0])) {
      Endpoint(selector.calls == "bind" ? selector.local : selector.remote);
    } else if (ConsumeWord("local")) {
      Require("=", "'='");
      Endpoint(selector.local);
    } else if (ConsumeWord("remote")) {
      Require("=", "'='");
      Endpoint(selector.remote);
    } else if (ConsumeWord("listener")) {
      Role(selector, SocketRole::kListener, start);
    } else if (ConsumeWord("connection")) {
      Role(selector, SocketRole::kConnection, start);
    } else if (ConsumeWord("socket")) {
      if (selector.nth_socket.has_value()) Twice(start);
      selector.nth_socket = Count();
    } else if (ConsumeWord("from")) {
      Require("=", "'='");
      if (!selector.call_site.empty()) Twice(start);
      selector.call_site = Site();
    } else {
      Option(selector, word);
    }
  }

  void Twice(size_t position) {
    Fail(position, "a rule has each kind of filter once");
  }

  void Role(FaultSelector& selector, SocketRole role, size_t position) {
    if (selector.role != SocketRole::kAny) Twice(position);
    selector.role = role;
  }

  void Option(FaultSelector& selector, absl::string_view name) {
    const absl::string_view calls = CallsWithOption(name);
    if (calls.empty()) {
      Expected("an endpoint, the name of an option or another filter",
               FilterNames());
      return;
    }
    bool matches = false;
    for (const SyscallId call : kAllSyscallIds) {
      matches |= selected_->contains(call) && HasOption(call, name);
    }
    if (!matches) {
      Fail(position_,
           absl::StrCat(name, " is for ", calls, ", not for ", selector.calls));
    }
    if (!selector.option.empty()) Twice(position_);
    selector.option = std::string(name);
    position_ += name.size();
  }

  // A call site: characters up to ',' or ')', or a text in quotes.
  std::string Site() {
    const size_t start = position_;
    std::string site;
    const bool quoted = !AtEnd() && text_[position_] == '"';
    if (quoted) ++position_;
    while (!AtEnd() &&
           (quoted ? text_[position_] != '"'
                   : !absl::StrContains(",) \t\n\"", text_[position_]))) {
      if (quoted && text_[position_] == '\\') ++position_;
      if (!AtEnd()) site += text_[position_++];
    }
    if (quoted && !AtEnd()) {
      ++position_;
    } else if (quoted) {
      Expected("the end of the text in quotes");
    }
    if (site.empty()) Fail(start, "expected a part of a call site's name");
    return site;
  }

  void Endpoint(std::optional<EndpointPattern>& pattern) {
    SkipSpace();
    const size_t start = position_;
    if (pattern.has_value()) Twice(start);
    pattern.emplace();
    if (!Consume("*")) pattern->addr = Address();
    Require(":", "':' and a port");
    if (!ok() || Consume("*")) return;
    const size_t port_start = position_;
    const auto port = Number<int>(0, "a port from 0 to 65535, or '*'");
    if (port > std::numeric_limits<uint16_t>::max()) {
      Fail(port_start,
           absl::StrCat("expected a port from 0 to 65535, not ", port));
    }
    pattern->port = static_cast<uint16_t>(port);
  }

  // An IPv4 address, or an IPv6 address in brackets.
  std::optional<ip::Addr> Address() {
    const size_t start = position_;
    const bool bracketed = Consume("[");
    const absl::string_view allowed =
        bracketed ? "0123456789abcdefABCDEF:.%" : "0123456789.";
    const size_t size =
        std::min(Rest().find_first_not_of(allowed), Rest().size());
    const std::optional<ip::Addr> addr =
        ip::Addr::Parse(Rest().substr(0, size));
    if (!addr.has_value() || addr->is_v6() != bracketed) {
      Fail(start,
           absl::StrCat("expected an IPv4 address, an IPv6 address in "
                        "brackets or '*', not ",
                        size == 0
                            ? Found()
                            : absl::StrCat("'", Rest().substr(0, size), "'")));
      return std::nullopt;
    }
    position_ += size;
    if (bracketed) Require("]", "']'");
    return addr;
  }

  void Counts(FaultSelector& selector, size_t start) {
    if (Consume("#")) selector.occurrence = Range();
    if (ok() && ConsumeWord("every")) selector.every = Count();
    if (ok() && Consume("@")) {
      RequirePosition(selector, start);
      selector.position = Range();
    }
    if (ok() && ConsumeWord("p")) Chance(selector);
  }

  // Calls that use no socket have no position.
  void RequirePosition(const FaultSelector& selector, size_t start) {
    for (const SyscallId call : kAllSyscallIds) {
      if (selected_->contains(call) && !UsesNoSocket(call)) return;
    }
    Fail(start, absl::StrCat(selector.calls,
                             " uses no socket, so it has no "
                             "position in the trace"));
  }

  CountRange Range() {
    CountRange range;
    range.first = Count();
    range.last = range.first;
    if (!ok() || !Consume("..")) return range;
    range.last = std::numeric_limits<int>::max();
    if (AtEnd() || !IsDigit(text_[position_])) return range;
    const size_t start = position_;
    range.last = Count();
    if (range.last < range.first) {
      Fail(start, absl::StrCat("expected a number from ", range.first,
                               ", where the range begins, not ", range.last));
    }
    return range;
  }

  void Chance(FaultSelector& selector) {
    Require("=", "'='");
    if (!ok()) return;
    const size_t start = position_;
    double probability = 0;
    const std::from_chars_result read = std::from_chars(
        text_.data() + start, text_.data() + text_.size(), probability);
    if (read.ec != std::errc() || !(probability > 0) || probability > 1) {
      Fail(start, "expected a probability greater than 0 and at most 1");
      return;
    }
    position_ += static_cast<size_t>(read.ptr - (text_.data() + start));
    selector.probability = probability;
    SkipSpace();
    if (!ConsumeWord("seed")) Expected("'seed='");
    Require("=", "'='");
    if (ok()) selector.seed = Number<uint64_t>(0, "a number");
  }

  void Action(FaultRule& rule) {
    FaultAction& action = rule.action;
    const absl::string_view word = PeekWord();
    std::optional<int> error = ErrnoFromSymbol(word);
    if (!error.has_value()) error = NumberedErrno(word);
    if (error.value_or(0) > 0) {
      action.error = *error;
      position_ += word.size();
    } else if (ConsumeWord("short")) {
      action.kind = ActionKind::kShort;
      action.bytes = InParentheses(1);
    } else if (ConsumeWord("delay")) {
      action.kind = ActionKind::kDelay;
      action.delay = Delay();
    } else if (ConsumeWord("truncated")) {
      action.kind = ActionKind::kTruncatedAddress;
      action.bytes = InParentheses(0);
    } else if (ConsumeWord("fd0")) {
      action.kind = ActionKind::kDescriptorZero;
    } else if (ConsumeWord("reuse")) {
      action.kind = ActionKind::kReuseNumber;
    } else if (ConsumeWord("consumed")) {
      action.kind = ActionKind::kErrorConsumed;
    } else if (ConsumeWord("reset")) {
      action.kind = ActionKind::kResetBeforeAccept;
    } else {
      Expected("an errno or another action", ActionNames());
    }
    if (ok() && Consume("*")) rule.times = Count();
    if (ok() && action.kind == ActionKind::kError) EffectOf(action);
  }

  size_t InParentheses(size_t least) {
    Require("(", "'('");
    size_t bytes = least;
    if (ok()) {
      bytes =
          Number<size_t>(least, absl::StrCat("a number of bytes from ", least));
    }
    Require(")", "')'");
    return bytes;
  }

  absl::Duration Delay() {
    Require("(", "'('");
    if (!ok()) return absl::ZeroDuration();
    const size_t start = position_;
    const size_t size = std::min(Rest().find(')'), Rest().size());
    absl::Duration delay;
    const bool parsed =
        absl::ParseDuration(std::string(Rest().substr(0, size)), &delay);
    if (!parsed || delay <= absl::ZeroDuration() ||
        delay == absl::InfiniteDuration() ||
        delay != absl::Trunc(delay, absl::Nanoseconds(1))) {
      Fail(start,
           "expected a duration of whole nanoseconds, such as 5ms or 1.5s");
      return absl::ZeroDuration();
    }
    position_ += size;
    Require(")", "')'");
    return delay;
  }

  void EffectOf(FaultAction& action) {
    SkipSpace();
    if (ConsumeWord("before")) {
      action.effect = Effect::kBefore;
    } else if (ConsumeWord("after")) {
      action.effect = Effect::kAfter;
    } else if (ConsumeWord("partial")) {
      action.effect = Effect::kPartial;
      action.bytes = InParentheses(1);
    } else if (!PeekWord().empty()) {
      Expected("'before', 'after', 'partial(N)', ';' or the end",
               {"before", "after", "partial"});
    }
  }

  void RequireApplicable(const FaultRule& rule, size_t position) {
    for (const SyscallId call : kAllSyscallIds) {
      if (selected_->contains(call) && IsApplicable(rule.action, call)) return;
    }
    Fail(position,
         absl::StrCat("this action is for ", ApplicableTo(rule.action),
                      ", not for ", rule.selector.calls));
  }

  const absl::string_view text_;
  size_t position_ = 0;
  std::string error_;
  std::optional<SyscallSet> selected_;  // By the rule that is being parsed.
};

}  // namespace

absl::StatusOr<FaultPlan> ParseFaultPlan(absl::string_view text) {
  return Parser(text).Parse();
}

}  // namespace net
