#include "conformance/engine/trial_report.h"

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "conformance/engine/outcome.h"
#include "conformance/engine/trial.h"
#include "nlohmann/json.hpp"

namespace net::conformance {
namespace {

using Json = nlohmann::json;

// Throws Json::exception unless all members exist and have the right types.
TrialReport FromJson(const Json& json, Outcome outcome) {
  TrialReport report{.verdict = {.outcome = outcome}};
  json.at("message").get_to(report.verdict.message);
  json.at("error").get_to(report.verdict.error);
  json.at("leaked").get_to(report.verdict.leaked);
  // The trial's process does not know the expectations, so a leak is kLeak.
  if (!report.verdict.leaked.empty()) report.verdict.leak = Leak::kLeak;
  json.at("proven").get_to(report.verdict.proven);
  json.at("claimed").get_to(report.verdict.claimed);
  json.at("reusable").get_to(report.reusable);
  json.at("version").get_to(report.version);
  return report;
}

}  // namespace

std::string EncodeReport(const TrialReport& report) {
  const Json json = {
      {"outcome", std::string(OutcomeName(report.verdict.outcome))},
      {"message", report.verdict.message},
      {"error", report.verdict.error},
      {"leaked", report.verdict.leaked},
      {"proven", report.verdict.proven},
      {"claimed", report.verdict.claimed},
      {"reusable", report.reusable},
      {"version", report.version}};
  // A message may contain any bytes that a case received.
  std::string text = json.dump(-1, ' ', false, Json::error_handler_t::replace);
  text.push_back('\0');
  return text;
}

absl::StatusOr<TrialReport> DecodeReport(absl::string_view text) {
  if (text.empty() || text.back() != '\0') {
    return absl::InvalidArgumentError("it is not complete");
  }
  text.remove_suffix(1);
  // The JSON parser would stop at a NUL.
  if (absl::StrContains(text, '\0')) {
    return absl::InvalidArgumentError("more than one report");
  }
  try {
    const Json json = Json::parse(text.begin(), text.end());
    const auto name = json.at("outcome").get<std::string>();
    const std::optional<Outcome> outcome = OutcomeFromName(name);
    if (!outcome.has_value()) {
      return absl::InvalidArgumentError(
          absl::StrCat("no outcome is called '", name, "'"));
    }
    return FromJson(json, *outcome);
  } catch (const Json::exception& e) {
    return absl::InvalidArgumentError(e.what());
  }
}

}  // namespace net::conformance
