#include "conformance/columns.h"

#include <functional>
#include <utility>
#include <vector>

#include "conformance/engine/trial.h"
#include "conformance/implementations/net_tcp.h"
#include "conformance/linux/linux_environment.h"

namespace net::conformance {

std::vector<Column> MakeColumns(const ColumnOptions& options) {
  const auto make_linux = [options](std::function<void()> abandon) {
    return MakeLinuxEnvironment({.disable_ipv6 = options.disable_ipv6},
                                std::move(abandon));
  };
  return {{.name = "net_tcp",
           .make_environment = make_linux,
           .make_implementation = &MakeNetTcp}};
}

}  // namespace net::conformance
