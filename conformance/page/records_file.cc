#include "conformance/page/records_file.h"

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "nlohmann/json.hpp"

namespace net::conformance {

absl::StatusOr<RecordsOfRun> ParseRecords(absl::string_view name,
                                          absl::string_view text) {
  RecordsOfRun run;
  int number = 0;
  for (const absl::string_view line :
       absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    ++number;
    try {
      auto json = nlohmann::json::parse(line.begin(), line.end());
      if (json.contains("environment")) {
        run.environment = json.at("environment");
        continue;
      }
      for (const char* member : {"case", "axis", "implementation", "outcome"}) {
        static_cast<void>(json.at(member).get<std::string>());
      }
      static_cast<void>(json.value("leak", ""));
      run.records.push_back(std::move(json));
    } catch (const nlohmann::json::exception& e) {
      return absl::InvalidArgumentError(
          absl::StrCat(name, ":", number, ": not a record: ", e.what()));
    }
  }
  if (run.environment.is_null()) {
    return absl::InvalidArgumentError(
        absl::StrCat(name, ": has no line with the member `environment`"));
  }
  return run;
}

}  // namespace net::conformance
