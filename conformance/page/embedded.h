#ifndef CONFORMANCE_PAGE_EMBEDDED_H_
#define CONFORMANCE_PAGE_EMBEDDED_H_

#include "absl/strings/string_view.h"

namespace net::conformance {

// The content of page.html, of style.css, and of the scripts, one after the
// other. The build makes the definitions.
extern const absl::string_view kPageHtml;
extern const absl::string_view kPageStyle;
extern const absl::string_view kPageScript;

}  // namespace net::conformance

#endif  // CONFORMANCE_PAGE_EMBEDDED_H_
