// The table of accepted options is complete, and docs/OPTIONS.md shows it.

#include "fakes/kernel/options/without_effect.h"

#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "fakes/kernel/options/option_sockets.h"
#include "fakes/kernel/options/options.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace net::fake {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::IsNull;
using ::testing::NotNull;

constexpr int kLevels[] = {SOL_SOCKET, IPPROTO_TCP, IPPROTO_IP, IPPROTO_IPV6};
constexpr int kMostName = 250;

bool HasRow(int level, int name) {
  const auto options = AcceptedOptions();
  return std::any_of(options.begin(), options.end(),
                     [&](const AcceptedOption& row) {
                       return row.kind == OptionKind::kSocketOption &&
                              row.level == level && row.name == name;
                     });
}

// Values of several sizes: among them is one that each option accepts.
std::vector<std::string> Values() {
  std::vector<std::string> values = {"",
                                     "lo",
                                     "cubic",
                                     std::string(16, '\1'),
                                     std::string(20, '\0'),
                                     std::string(144, '\0')};
  for (const int32_t number : {0, 1, 1000, 1000000, 8192}) {
    const auto* const bytes = reinterpret_cast<const char*>(&number);
    values.emplace_back(bytes, sizeof(number));
    values.push_back(std::string(bytes, sizeof(number)) + std::string(4, '\0'));
    values.push_back(std::string(bytes, sizeof(number)) +
                     std::string(12, '\0'));
  }
  return values;
}

// Whether a socket of any kind and state accepts any value.
bool IsAccepted(int level, int name) {
  static const auto& settings = *new HostSettings{
      .sysctls = {}, .net_admin = true, .net_raw = true, .host_admin = true};
  sock_filter accept_all = {BPF_RET | BPF_K, 0, 0, 1};
  const sock_fprog filter = {.len = 1, .filter = &accept_all};
  for (const int family : {AF_INET, AF_INET6}) {
    for (const Stage stage :
         {Stage::kFresh, Stage::kListening, Stage::kConnected}) {
      ModelSocket socket(family, stage, 4711, settings);
      if (socket.Set(level, name, &filter, sizeof(filter)).ok()) return true;
      if (socket.Set(level, name, nullptr, 0).ok()) return true;
      for (const std::string& value : Values()) {
        const auto size = static_cast<socklen_t>(value.size());
        if (socket.Set(level, name, value.data(), size).ok()) return true;
      }
    }
  }
  return false;
}

TEST(AcceptedOptions, AreAllInTheTable) {
  std::vector<std::string> missing;
  for (const int level : kLevels) {
    for (int name = 0; name <= kMostName; ++name) {
      // SO_DETACH_FILTER is accepted only after SO_ATTACH_FILTER.
      if (IsAccepted(level, name) && !HasRow(level, name)) {
        missing.push_back(absl::StrCat("level ", level, " option ", name));
      }
    }
  }
  EXPECT_THAT(missing, IsEmpty());
}

TEST(AcceptedOptions, TheTableHasNoOthers) {
  std::vector<std::string> refused;
  for (const AcceptedOption& row : AcceptedOptions()) {
    if (row.kind != OptionKind::kSocketOption) continue;
    if (row.level == SOL_SOCKET && row.name == SO_DETACH_FILTER) continue;
    if (!IsAccepted(row.level, static_cast<int>(row.name))) {
      refused.emplace_back(row.text);
    }
  }
  EXPECT_THAT(refused, IsEmpty());
}

TEST(AcceptedOptions, EachStandsOnce) {
  std::set<std::tuple<OptionKind, int, int64_t>> seen;
  for (const AcceptedOption& row : AcceptedOptions()) {
    EXPECT_TRUE(seen.insert({row.kind, row.level, row.name}).second)
        << row.text;
  }
}

TEST(AcceptedOptions, HaveAReasonUnlessTheyAct) {
  for (const AcceptedOption& row : AcceptedOptions()) {
    EXPECT_EQ(row.reason.empty(), row.effect == OptionEffect::kActs)
        << row.text;
  }
}

TEST(FindWithoutEffect, FindsOnlyOptionsWithoutEffect) {
  const auto find = [](int level, int name, uint32_t value) {
    return FindWithoutEffect(OptionKind::kSocketOption, level, name, value);
  };
  EXPECT_THAT(find(SOL_SOCKET, SO_MARK, 1), NotNull());
  EXPECT_THAT(find(IPPROTO_TCP, SO_MARK, 1), IsNull());
  EXPECT_THAT(find(SOL_SOCKET, SO_REUSEADDR, 1), IsNull());
  EXPECT_THAT(find(SOL_SOCKET, SO_DEBUG, 1), IsNull()) << "as on Linux";
}

TEST(FindWithoutEffect, LooksAtTheBitsOfTheValue) {
  const auto find = [](uint32_t value) {
    return FindWithoutEffect(OptionKind::kSocketOption, SOL_SOCKET,
                             SO_TIMESTAMPING, value);
  };
  EXPECT_THAT(find(1U << 1), NotNull());  // SOF_TIMESTAMPING_TX_SOFTWARE
  EXPECT_THAT(find(1U << 3), IsNull());   // SOF_TIMESTAMPING_RX_SOFTWARE
}

TEST(OptionsPage, ShowsTheTable) {
  std::ifstream page("docs/OPTIONS.md");
  ASSERT_TRUE(page.is_open());
  std::ostringstream text;
  text << page.rdbuf();
  EXPECT_THAT(text.str(), HasSubstr(AcceptedOptionsAsMarkdown()))
      << "docs/OPTIONS.md must contain this text. Copy it.";
}

}  // namespace
}  // namespace net::fake
