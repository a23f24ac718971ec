#ifndef CONFORMANCE_ONE_FILE_EMBEDDED_H_
#define CONFORMANCE_ONE_FILE_EMBEDDED_H_

#include "absl/strings/string_view.h"

namespace net::conformance {

// The content of linux_6_18.txt and of conformance/targets/linux.expectations.
// The build makes the definitions.
extern const absl::string_view kRecordedOnLinux;
extern const absl::string_view kLinuxExpectations;

}  // namespace net::conformance

#endif  // CONFORMANCE_ONE_FILE_EMBEDDED_H_
