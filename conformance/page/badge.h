#ifndef CONFORMANCE_PAGE_BADGE_H_
#define CONFORMANCE_PAGE_BADGE_H_

#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "conformance/engine/record.h"

namespace net::conformance {

// Returns an SVG image with two counts, each with its denominator: unexpected
// outcomes, and passes. Its parts link to the page's lists: `page` is the path
// of the page from the folder of the badge. `provenance` is the image's
// tooltip.
std::string MakeBadge(absl::Span<const Record> records, absl::string_view page,
                      absl::string_view provenance);

}  // namespace net::conformance

#endif  // CONFORMANCE_PAGE_BADGE_H_
