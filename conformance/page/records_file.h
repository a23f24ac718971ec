#ifndef CONFORMANCE_PAGE_RECORDS_FILE_H_
#define CONFORMANCE_PAGE_RECORDS_FILE_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "nlohmann/json.hpp"

namespace net::conformance {

// The content of a file of records. (nlohmann::json's move constructor is
// noexcept but contains assertions.)
// NOLINTNEXTLINE(bugprone-exception-escape)
struct RecordsOfRun {
  nlohmann::json environment;
  std::vector<nlohmann::json> records;
};

// Parses the text of a file of records (`conformance --records`). Fails unless
// each record has the members `case`, `axis`, `implementation` and `outcome`.
// `name` is the file's name, for errors.
absl::StatusOr<RecordsOfRun> ParseRecords(absl::string_view name,
                                          absl::string_view text);

}  // namespace net::conformance

#endif  // CONFORMANCE_PAGE_RECORDS_FILE_H_
