#include "conformance/page/badge.h"

#include <algorithm>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "conformance/engine/outcome.h"
#include "conformance/engine/record.h"
#include "conformance/engine/report_groups.h"

namespace net::conformance {
namespace {

// Width of a character of the font and of the space around a text, in pixels.
// textLength stretches the text to this width, whatever font the viewer has.
constexpr int kCharacter = 7;
constexpr int kSpace = 20;
constexpr int kHeight = 20;

constexpr absl::string_view kGrey = "#44505c";
constexpr absl::string_view kGreen = "#1a7f37";
constexpr absl::string_view kRed = "#b42318";

// Encodes a path for a URL. The result needs no escaping in XML.
std::string UrlPath(absl::string_view path) {
  std::string url;
  for (const char c : path) {
    const auto byte = static_cast<unsigned char>(c);
    const bool is_plain =
        absl::ascii_isalnum(byte) || absl::StrContains("-._~/", c);
    if (is_plain) {
      url += c;
    } else {
      absl::StrAppendFormat(&url, "%%%02X", byte);
    }
  }
  return url;
}

std::string Xml(absl::string_view text) {
  return absl::StrReplaceAll(
      text, {{"&", "&amp;"}, {"<", "&lt;"}, {">", "&gt;"}, {"\"", "&quot;"}});
}

struct Part {
  std::string text;
  absl::string_view color;
  std::string link;

  int Width() const {
    return kCharacter * static_cast<int>(text.size()) + kSpace;
  }
};

std::string FormatPart(const Part& part, int left) {
  return absl::StrFormat(
      "<a href=\"%s\"><rect x=\"%d\" width=\"%d\" height=\"%d\" fill=\"%s\"/>"
      "<text x=\"%d\" y=\"14\" textLength=\"%d\">%s</text></a>\n",
      part.link, left, part.Width(), kHeight, part.color,
      left + part.Width() / 2, part.Width() - kSpace, Xml(part.text));
}

}  // namespace

std::string MakeBadge(absl::Span<const Record> records, absl::string_view page,
                      absl::string_view provenance) {
  const auto unexpected = std::count_if(
      records.begin(), records.end(),
      [](const Record& record) { return !IsExpected(record.verdict); });
  const std::string url = UrlPath(page);
  const Part parts[] = {
      {"conformance", kGrey, url},
      {absl::StrCat(unexpected, "/", records.size(), " unexpected"),
       unexpected == 0 ? kGreen : kRed, url + "#failures"},
      {absl::StrCat(CountOf(records, Outcome::kPass), "/", records.size(),
                    " pass"),
       kGrey, url + "#outcome=pass"},
  };
  int width = 0;
  std::string body;
  std::string label;
  for (const Part& part : parts) {
    body += FormatPart(part, width);
    width += part.Width();
    absl::StrAppend(&label, label.empty() ? "" : ", ", part.text);
  }
  return absl::StrFormat(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
      "role=\"img\" aria-label=\"%s\">\n<title>%s. %s</title>\n"
      "<g fill=\"#fff\" text-anchor=\"middle\" font-size=\"12\" "
      "font-family=\"Verdana,DejaVu Sans,sans-serif\">\n%s</g>\n</svg>\n",
      width, kHeight, Xml(label), Xml(label), Xml(provenance), body);
}

}  // namespace net::conformance
