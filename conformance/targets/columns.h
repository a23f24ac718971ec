#ifndef CONFORMANCE_TARGETS_COLUMNS_H_
#define CONFORMANCE_TARGETS_COLUMNS_H_

#include <vector>

#include "conformance/engine/trial.h"

namespace net::conformance {

struct ColumnOptions {
  bool disable_ipv6 = false;  // see LinuxEnvironmentOptions
};

// What this program can judge: implementations by the cases of cases/, kernels
// by those of kernel_cases/, each in its world.
std::vector<Column> MakeColumns(const ColumnOptions& options);

}  // namespace net::conformance

#endif  // CONFORMANCE_TARGETS_COLUMNS_H_
