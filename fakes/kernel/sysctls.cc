#include "fakes/kernel/sysctls.h"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <variant>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"

namespace net {
namespace {

using PortRange = FakeSysctls::PortRange;
using Memory = FakeSysctls::Memory;
using CongestionControl = FakeSysctls::CongestionControl;

// A setting that is one number, with the range that Linux accepts.
struct Number {
  int FakeSysctls::*field;
  int low = std::numeric_limits<int>::min();
  int high = std::numeric_limits<int>::max();
};

// A switch. Linux keeps the number; the model keeps whether it is 0.
struct Switch {
  bool FakeSysctls::*field;
};

// Cannot exceed the start of ip_local_port_range: ephemeral ports are
// unprivileged.
struct UnprivilegedPorts {};

struct Setting {
  absl::string_view name;
  std::variant<Number, Switch, UnprivilegedPorts, PortRange FakeSysctls::*,
               Memory FakeSysctls::*, CongestionControl FakeSysctls::*,
               int64_t FakeSysctls::*>
      kind;
};

constexpr Setting kSettings[] = {
    {"net.core.somaxconn", Number{&FakeSysctls::somaxconn, 0}},
    {"net.core.rmem_max", Number{&FakeSysctls::rmem_max, 2304}},
    {"net.core.wmem_max", Number{&FakeSysctls::wmem_max, 4608}},
    {"net.core.rmem_default", Number{&FakeSysctls::rmem_default, 2304}},
    {"net.core.wmem_default", Number{&FakeSysctls::wmem_default, 4608}},
    {"net.ipv4.ip_local_port_range", &FakeSysctls::ip_local_port_range},
    {"net.ipv4.ip_unprivileged_port_start", UnprivilegedPorts{}},
    {"net.ipv4.tcp_syn_retries", Number{&FakeSysctls::tcp_syn_retries, 1, 127}},
    {"net.ipv4.tcp_synack_retries",
     Number{&FakeSysctls::tcp_synack_retries, 0, 255}},
    {"net.ipv4.tcp_retries2", Number{&FakeSysctls::tcp_retries2, 0, 255}},
    {"net.ipv4.tcp_orphan_retries",
     Number{&FakeSysctls::tcp_orphan_retries, 0, 255}},
    {"net.ipv4.tcp_syn_linear_timeouts",
     Number{&FakeSysctls::tcp_syn_linear_timeouts, 0, 127}},
    {"net.ipv4.tcp_fin_timeout", Number{&FakeSysctls::tcp_fin_timeout}},
    {"net.ipv4.tcp_tw_reuse", Number{&FakeSysctls::tcp_tw_reuse, 0, 2}},
    {"net.ipv4.tcp_rmem", &FakeSysctls::tcp_rmem},
    {"net.ipv4.tcp_wmem", &FakeSysctls::tcp_wmem},
    {"net.ipv4.tcp_keepalive_time", Number{&FakeSysctls::tcp_keepalive_time}},
    {"net.ipv4.tcp_keepalive_intvl", Number{&FakeSysctls::tcp_keepalive_intvl}},
    {"net.ipv4.tcp_keepalive_probes",
     Number{&FakeSysctls::tcp_keepalive_probes, 0, 255}},
    {"net.ipv4.ip_default_ttl", Number{&FakeSysctls::ip_default_ttl, 1, 255}},
    {"net.ipv4.tcp_rto_max_ms",
     Number{&FakeSysctls::tcp_rto_max_ms, 1000, 120000}},
    {"net.ipv4.tcp_rto_min_us", Number{&FakeSysctls::tcp_rto_min_us, 1}},
    {"net.ipv4.tcp_fastopen", Number{&FakeSysctls::tcp_fastopen}},
    {"net.ipv4.tcp_congestion_control", &FakeSysctls::tcp_congestion_control},
    {"net.ipv6.bindv6only", Switch{&FakeSysctls::bindv6only}},
    {"net.ipv6.conf.default.hop_limit",
     Number{&FakeSysctls::hop_limit, 1, 255}},
    {"net.ipv6.conf.all.disable_ipv6", Switch{&FakeSysctls::disable_ipv6}},
    {"fs.file-max", &FakeSysctls::file_max},
};

// Returns the numbers in `text`, or none if it contains anything else.
std::vector<int> Numbers(absl::string_view text) {
  std::vector<int> numbers;
  for (const absl::string_view word :
       absl::StrSplit(text, absl::ByAnyChar(" \t\n"), absl::SkipEmpty())) {
    if (!absl::SimpleAtoi(word, &numbers.emplace_back())) return {};
  }
  return numbers;
}

// Parses and sets a value, with one overload for each kind of setting.
class Setter {
 public:
  Setter(FakeSysctls& sysctls, absl::string_view text)
      : sysctls_(sysctls), text_(text) {}

  bool operator()(const Number& number) const {
    const std::vector<int> one = Numbers(text_);
    if (one.size() != 1) return false;
    if (one[0] < number.low || one[0] > number.high) return false;
    sysctls_.*number.field = one[0];
    return true;
  }

  bool operator()(const Switch& to_switch) const {
    const std::vector<int> one = Numbers(text_);
    if (one.size() != 1 || one[0] < 0 || one[0] > 255) return false;
    sysctls_.*to_switch.field = one[0] != 0;
    return true;
  }

  bool operator()(UnprivilegedPorts) const {
    const std::vector<int> one = Numbers(text_);
    if (one.size() != 1 || one[0] < 0) return false;
    if (one[0] > sysctls_.ip_local_port_range.first) return false;
    sysctls_.ip_unprivileged_port_start = one[0];
    return true;
  }

  bool operator()(PortRange FakeSysctls::*field) const {
    const std::vector<int> two = Numbers(text_);
    if (two.size() != 2 || two[0] < 1 || two[1] > 65535) return false;
    if (two[1] < two[0]) return false;
    if (two[0] < sysctls_.ip_unprivileged_port_start) return false;
    sysctls_.*field = {.first = static_cast<uint16_t>(two[0]),
                       .last = static_cast<uint16_t>(two[1])};
    return true;
  }

  // Sets as many of the three numbers as are given. Like Linux, does not check
  // their order.
  bool operator()(Memory FakeSysctls::*field) const {
    const std::vector<int> given = Numbers(text_);
    if (given.empty()) return false;
    Memory memory = sysctls_.*field;
    int* const fields[] = {&memory.min, &memory.initial, &memory.max};
    for (size_t i = 0; i < 3 && i < given.size(); ++i) {
      if (given[i] < 1) return false;
      *fields[i] = given[i];
    }
    sysctls_.*field = memory;
    return true;
  }

  bool operator()(CongestionControl FakeSysctls::*field) const {
    const absl::string_view name = absl::StripAsciiWhitespace(text_);
    if (name != "cubic" && name != "reno") return false;
    sysctls_.*field =
        name == "cubic" ? CongestionControl::kCubic : CongestionControl::kReno;
    return true;
  }

  bool operator()(int64_t FakeSysctls::*field) const {
    int64_t number = 0;
    if (!absl::SimpleAtoi(text_, &number) || number < 0) return false;
    sysctls_.*field = number;
    return true;
  }

 private:
  FakeSysctls& sysctls_;
  const absl::string_view text_;
};

}  // namespace

bool FakeSysctls::Set(absl::string_view name, absl::string_view text) {
  for (const Setting& setting : kSettings) {
    if (setting.name == name) {
      return std::visit(Setter(*this, text), setting.kind);
    }
  }
  return false;
}

}  // namespace net
