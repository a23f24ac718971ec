#include "fakes/preload/options.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "fakes/faults/fault_plan.h"
#include "fakes/kernel/link_options.h"
#include "fakes/kernel/sysctls.h"
#include "syscalls/net/ip_addr.h"

namespace net::preload {
namespace {

absl::Status Invalid(absl::string_view word, absl::string_view expected) {
  return absl::InvalidArgumentError(
      absl::StrCat("'", word, "': expected ", expected));
}

std::vector<std::string> PartsOf(absl::string_view text) {
  std::vector<std::string> parts;
  for (absl::string_view part : absl::StrSplit(text, ';')) {
    part = absl::StripAsciiWhitespace(part);
    if (!part.empty()) parts.emplace_back(part);
  }
  return parts;
}

// A wildcard stands for both families.
std::optional<ip::Addr> ParseEnd(absl::string_view text) {
  return text == "*" ? ip::kAnyV4 : ip::Addr::Parse(text);
}

bool ParseDuration(absl::string_view text, absl::Duration& duration) {
  return absl::ParseDuration(text, &duration) &&
         duration >= absl::ZeroDuration();
}

// Returns whether the word is valid.
bool ParseWord(absl::string_view word, LinkRule& rule) {
  LinkOptions& options = rule.options;
  const std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(word, absl::MaxSplits('=', 1));
  const auto& [name, value] = parts;
  if (word == "cut") return rule.cut = true;
  if (word == "drop") options.rule = LinkOptions::Rule::kDrop;
  if (word == "reject") options.rule = LinkOptions::Rule::kReject;
  if (word == "drop" || word == "reject") return true;
  if (name == "delay") return ParseDuration(value, options.delay);
  if (name == "jitter") return ParseDuration(value, options.jitter);
  if (name == "bandwidth") {
    return absl::SimpleAtoi(value, &options.bandwidth) && options.bandwidth > 0;
  }
  if (name == "loss") {
    return absl::SimpleAtod(value, &options.loss) && options.loss >= 0 &&
           options.loss <= 1;
  }
  return name == "seed" && absl::SimpleAtoi(value, &options.seed);
}

absl::StatusOr<LinkRule> ParseLink(absl::string_view text) {
  constexpr size_t kFirstWord = 3;
  const std::vector<absl::string_view> words =
      absl::StrSplit(text, ' ', absl::SkipEmpty());
  if (words.size() <= kFirstWord || (words[1] != "<->" && words[1] != "->")) {
    return Invalid(text, "FROM <-> TO WORD..., or ->");
  }
  LinkRule rule;
  rule.ends.both_ways = words[1] == "<->";
  for (const size_t i : {size_t{0}, size_t{2}}) {
    const std::optional<ip::Addr> end = ParseEnd(words[i]);
    if (!end.has_value()) return Invalid(words[i], "an IP address or *");
    (i == 0 ? rule.ends.from : rule.ends.to) = *end;
  }
  for (size_t i = kFirstWord; i < words.size(); ++i) {
    if (!ParseWord(words[i], rule)) {
      return Invalid(words[i],
                     "delay=, jitter=DURATION, bandwidth=BYTES, "
                     "loss=0...1, seed=N, drop, reject or cut");
    }
  }
  return rule;
}

absl::Status ParseSysctls(absl::string_view text, Options& options) {
  FakeSysctls known;
  for (const std::string& part : PartsOf(text)) {
    const std::pair<std::string, std::string> parts =
        absl::StrSplit(part, absl::MaxSplits('=', 1));
    if (!known.Set(parts.first, parts.second)) {
      return Invalid(part, "NAME=VALUE, a sysctl of the FakeKernel");
    }
    options.sysctls.push_back(parts);
  }
  return absl::OkStatus();
}

absl::Status ParseOption(const OptionName& name, absl::string_view text,
                         Options& options) {
  const auto is = [&](const OptionName& other) {
    return name.flag == other.flag;
  };
  if (is(kSysctls)) return ParseSysctls(text, options);
  if (is(kTrace)) options.trace = std::string(text);
  if (is(kSeed) && !absl::SimpleAtoi(text, &options.seed)) {
    return Invalid(text, "a number");
  }
  if (is(kNativeWait) && !ParseDuration(text, options.native_wait)) {
    return Invalid(text, "a duration such as 10ms");
  }
  if (is(kStallLimit) && !ParseDuration(text, options.stall_limit)) {
    return Invalid(text, "a duration such as 10s");
  }
  if (is(kPlan)) {
    absl::StatusOr<FaultPlan> plan = ParseFaultPlan(text);
    if (!plan.ok()) return plan.status();
    options.plan = *std::move(plan);
  }
  if (is(kLinks)) {
    absl::StatusOr<std::vector<LinkRule>> links = ParseLinks(text);
    if (!links.ok()) return links.status();
    options.links = *std::move(links);
  }
  return absl::OkStatus();
}

}  // namespace

std::ostream& operator<<(std::ostream& os, const LinkRule& rule) {
  return os << rule.ends << " " << rule.options << (rule.cut ? " cut" : "");
}

absl::StatusOr<std::vector<LinkRule>> ParseLinks(absl::string_view text) {
  std::vector<LinkRule> links;
  for (const std::string& part : PartsOf(text)) {
    absl::StatusOr<LinkRule> link = ParseLink(part);
    if (!link.ok()) return link.status();
    links.push_back(*std::move(link));
  }
  return links;
}

absl::StatusOr<Options> ParseOptions(
    absl::FunctionRef<const char*(const OptionName&)> text) {
  Options options;
  for (const OptionName& name : kAllOptions) {
    const char* const given = text(name);
    if (given == nullptr) continue;
    const absl::Status status = ParseOption(name, given, options);
    if (!status.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat("--", name.flag, ": ", status.message()));
    }
  }
  return options;
}

}  // namespace net::preload
