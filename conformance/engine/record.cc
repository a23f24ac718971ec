#include "conformance/engine/record.h"

#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "absl/types/span.h"
#include "conformance/engine/outcome.h"
#include "conformance/engine/trial.h"
#include "conformance/suite/case.h"
#include "nlohmann/json.hpp"
#include "syscalls/sandbox/sysctl.h"

namespace net::conformance {
namespace {

// To be incremented when cases change their meaning.
constexpr int kSuiteVersion = 1;

constexpr const char* kSysctls[] = {
    "net.core.somaxconn",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.tcp_syn_linear_timeouts",
    "net.ipv4.tcp_syn_retries",
    "net.ipv6.bindv6only",
    "net.ipv6.conf.all.disable_ipv6",
};

// JSON is UTF-8, but a message may contain any bytes that a case received.
std::string Dump(const nlohmann::ordered_json& json) {
  return json.dump(-1, ' ', false,
                   nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace

std::string RecordToJson(const Record& record) {
  const Case& test_case = *record.trial.test_case;
  return Dump({
      {"case", std::string(test_case.id)},
      {"axis", std::string(AddressFamilyName(record.trial.family))},
      {"implementation", record.trial.target->name},
      {"outcome", std::string(OutcomeName(record.verdict.outcome))},
      {"leak", std::string(LeakName(record.verdict.leak))},
      {"level", std::string(LevelName(test_case.level))},
      {"ms", record.milliseconds},
      {"requirement", std::string(test_case.requirement)},
      {"source", std::string(test_case.source)},
      {"message", record.verdict.message},
      {"error", record.verdict.error},
      {"leaked", record.verdict.leaked},
      {"calls", record.verdict.calls},
      {"version", record.version},
      {"rerun", std::string(RerunName(record.rerun))},
  });
}

std::string EnvironmentToJson() {
  nlohmann::ordered_json sysctls;
  for (const char* name : kSysctls) {
    const auto value = sandbox::ReadSysctl(name);
    // A sysctl that this kernel does not have is null in the record.
    if (value.ok()) {
      sysctls[name] = *value;
    } else {
      sysctls[name] = nullptr;
    }
  }
  utsname system = {};
  uname(&system);
  return Dump({{"environment",
                {
                    {"suite_version", kSuiteVersion},
                    {"kernel", std::string(system.release)},
                    {"machine", std::string(system.machine)},
                    {"euid", geteuid()},
                    {"compiler", __VERSION__},
                    {"sysctls", sysctls},
                }}});
}

void SortRecords(absl::Span<const Trial> order, std::vector<Record>& records) {
  using Key = std::tuple<const Target*, const Case*, AddressFamily>;
  const auto key_of = [](const Trial& trial) {
    return Key(trial.target, trial.test_case, trial.family);
  };
  std::map<Key, size_t> places;
  for (const Trial& trial : order) places.emplace(key_of(trial), places.size());
  std::stable_sort(records.begin(), records.end(),
                   [&](const Record& one, const Record& other) {
                     return places.at(key_of(one.trial)) <
                            places.at(key_of(other.trial));
                   });
}

}  // namespace net::conformance
