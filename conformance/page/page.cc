#include "conformance/page/page.h"

#include <zlib.h>

#include <cstddef>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "conformance/page/embedded.h"
#include "conformance/page/records_file.h"
#include "nlohmann/json.hpp"

namespace net::conformance {
namespace {

// Of deflateInit2(): 15 bits are the largest window, and 16 more select the
// format of gzip, which DecompressionStream reads in every browser.
constexpr int kGzipWindowBits = 15 + 16;
constexpr int kMemoryLevel = 8;

std::string Gzip(absl::string_view text) {
  z_stream stream = {};
  if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kGzipWindowBits,
                   kMemoryLevel, Z_DEFAULT_STRATEGY) != Z_OK) {
    throw std::runtime_error("zlib: deflateInit2() failed");
  }
  std::string compressed(deflateBound(&stream, text.size()), '\0');
  // zlib does not write to its input, whose type lacks `const` all the same.
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-const-cast)
  stream.next_in =
      const_cast<Bytef*>(reinterpret_cast<const Bytef*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(compressed.data());
  stream.avail_out = static_cast<uInt>(compressed.size());
  const int status = deflate(&stream, Z_FINISH);
  compressed.resize(stream.total_out);
  deflateEnd(&stream);
  if (status != Z_STREAM_END) {
    throw std::runtime_error("zlib: deflate() failed");
  }
  return compressed;
}

// The values of records, each once. A browser reads hundred thousand records in
// this form in a third of the time.
class Values {
 public:
  // Returns the index of a value.
  size_t Add(const nlohmann::json& value) {
    const std::string key =
        value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    const auto [place, is_new] = places_.emplace(key, places_.size());
    if (is_new) values_.push_back(value);
    return place->second;
  }
  const nlohmann::json& all() const { return values_; }

 private:
  absl::flat_hash_map<std::string, size_t> places_;
  nlohmann::json values_ = nlohmann::json::array();
};

// Returns what the page reads: `fields` are the names of the members of
// records, and each of `records` has for each field an index into `values`. A
// member that a record lacks is null.
nlohmann::json EmbeddedJson(const RecordsOfRun& run, const PageFacts& facts) {
  std::set<std::string> fields;
  for (const nlohmann::json& record : run.records) {
    for (const auto& [name, value] : record.items()) fields.insert(name);
  }
  Values values;
  auto records = nlohmann::json::array();
  for (const nlohmann::json& record : run.records) {
    auto indices = nlohmann::json::array();
    for (const std::string& field : fields) {
      indices.push_back(values.Add(record.value(field, nlohmann::json())));
    }
    records.push_back(std::move(indices));
  }
  return {
      {"page", {{"date", facts.date}, {"command", facts.command}}},
      {"environment", run.environment},
      {"fields", fields},
      {"values", values.all()},
      {"records", std::move(records)},
  };
}

// Returns what the page reads when it shows the first program: `programs` and
// `reasons`, both by the case's id. They are apart from the records, which the
// page needs before it shows anything.
nlohmann::json EmbeddedJson(const CasePrograms& programs) {
  auto texts = nlohmann::json::object();
  auto reasons = nlohmann::json::object();
  for (const auto& [id, program] : programs) {
    if (program.ok()) {
      texts[id] = *program;
    } else {
      reasons[id] = std::string(program.status().message());
    }
  }
  return {{"programs", std::move(texts)}, {"reasons", std::move(reasons)}};
}

std::string Embedded(const nlohmann::json& json) {
  return absl::Base64Escape(Gzip(
      json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)));
}

}  // namespace

std::string MakePage(const RecordsOfRun& run, const CasePrograms& programs,
                     const PageFacts& facts) {
  return absl::StrReplaceAll(
      kPageHtml, {{"{{style}}", kPageStyle},
                  {"{{script}}", kPageScript},
                  {"{{records}}", Embedded(EmbeddedJson(run, facts))},
                  {"{{programs}}", Embedded(EmbeddedJson(programs))}});
}

}  // namespace net::conformance
