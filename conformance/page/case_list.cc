#include "conformance/page/case_list.h"

#include <zlib.h>

#include <cstdint>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "conformance/engine/record.h"
#include "conformance/suite/case.h"
#include "nlohmann/json.hpp"

namespace net::conformance {

CaseList CaseListOf(absl::Span<const Record> records) {
  std::set<absl::string_view> ids;
  std::set<std::string> lines;
  for (const Record& record : records) {
    const Case& test_case = *record.trial.test_case;
    ids.insert(test_case.id);
    lines.insert(absl::StrCat(test_case.id, " ",
                              AddressFamilyName(record.trial.family), " ",
                              test_case.requirement, "\n"));
  }
  auto sum = crc32(0, nullptr, 0);
  for (const std::string& line : lines) {
    sum = crc32(sum, reinterpret_cast<const Bytef*>(line.data()),
                static_cast<uInt>(line.size()));
  }
  return {.cases = ids.size(), .hash = absl::StrFormat("%08x", sum)};
}

std::string Provenance(absl::Span<const Record> records,
                       const std::string& date) {
  const CaseList list = CaseListOf(records);
  const auto environment =
      nlohmann::json::parse(EnvironmentToJson()).at("environment");
  return absl::StrCat(list.cases, " cases (list ", list.hash, "), Linux ",
                      environment.at("kernel").get<std::string>(), " ",
                      environment.at("machine").get<std::string>(), ", uid ",
                      environment.at("euid").get<int64_t>(), ", ", date);
}

}  // namespace net::conformance
