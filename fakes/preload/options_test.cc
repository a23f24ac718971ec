#include "fakes/preload/options.h"

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "fakes/faults/fault_plan.h"
#include "fakes/kernel/link_options.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/net/ip_addr.h"

namespace net::preload {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

// Parses one option, whose flag has the name.
absl::StatusOr<Options> Parse(const OptionName& option, const char* text) {
  return ParseOptions([&](const OptionName& name) {
    return name.flag == option.flag ? text : nullptr;
  });
}

TEST(ParseOptions, WithoutOptions) {
  const auto options = ParseOptions(
      [](const OptionName&) { return static_cast<const char*>(nullptr); });
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_EQ(options->seed, 1u);
  EXPECT_TRUE(options->plan.rules.empty());
  EXPECT_TRUE(options->links.empty());
  EXPECT_EQ(options->native_wait, absl::Milliseconds(10));
}

TEST(ParseOptions, EachOption) {
  EXPECT_EQ(Parse(kSeed, "7")->seed, 7u);
  EXPECT_EQ(Parse(kTrace, "-")->trace, "-");
  EXPECT_EQ(Parse(kNativeWait, "1s")->native_wait, absl::Seconds(1));
  EXPECT_EQ(Parse(kStallLimit, "inf")->stall_limit, absl::InfiniteDuration());
  EXPECT_EQ(Parse(kPlan, "accept4#2=EMFILE")->plan.ToString(),
            "accept4#2=EMFILE");
  EXPECT_THAT(
      Parse(kSysctls, "net.ipv4.tcp_retries2=5; net.core.somaxconn=9")->sysctls,
      ElementsAre(Pair("net.ipv4.tcp_retries2", "5"),
                  Pair("net.core.somaxconn", "9")));
}

TEST(ParseOptions, AMistakeNamesItsFlag) {
  const std::pair<OptionName, const char*> mistakes[] = {
      {kSeed, "x"},           {kPlan, "accept4=EWHAT"}, {kLinks, "a <-> *"},
      {kSysctls, "net.what"}, {kNativeWait, "-1s"},     {kStallLimit, "10"}};
  for (const auto& [option, text] : mistakes) {
    const auto options = Parse(option, text);
    EXPECT_TRUE(absl::IsInvalidArgument(options.status())) << text;
    EXPECT_THAT(std::string(options.status().message()),
                HasSubstr(absl::StrCat("--", option.flag)));
  }
}

TEST(ParseLinks, EachWord) {
  const auto links = ParseLinks(
      "* <-> 127.0.0.2 delay=20ms jitter=1ms bandwidth=1000 loss=0.25 seed=3;"
      " 127.0.0.1 -> ::1 cut ; ::1 <-> * reject");
  ASSERT_TRUE(links.ok()) << links.status();
  const ip::Addr second = *ip::Addr::Parse("127.0.0.2");
  EXPECT_THAT(
      *links,
      ElementsAre(LinkRule{.ends = {.from = ip::kAnyV4, .to = second},
                           .options = {.delay = absl::Milliseconds(20),
                                       .jitter = absl::Milliseconds(1),
                                       .bandwidth = 1000,
                                       .loss = 0.25,
                                       .seed = 3}},
                  LinkRule{.ends = {.from = ip::kLocalV4,
                                    .to = ip::kLocalV6,
                                    .both_ways = false},
                           .cut = true},
                  LinkRule{.ends = {.from = ip::kLocalV6, .to = ip::kAnyV4},
                           .options = {.rule = LinkOptions::Rule::kReject}}));
}

TEST(ParseLinks, AMistakeIsQuoted) {
  const std::pair<const char*, const char*> mistakes[] = {
      {"* <-> *", "* <-> *"},
      {"* -- * cut", "* -- * cut"},
      {"host <-> * cut", "'host'"},
      {"* <-> * los=1", "'los=1'"},
      {"* <-> * loss=2", "'loss=2'"},
      {"* <-> * delay=-1s", "'delay=-1s'"},
      {"* <-> * bandwidth=0", "'bandwidth=0'"},
  };
  for (const auto& [text, quoted] : mistakes) {
    const auto links = ParseLinks(text);
    EXPECT_TRUE(absl::IsInvalidArgument(links.status())) << text;
    EXPECT_THAT(std::string(links.status().message()), HasSubstr(quoted));
  }
}

}  // namespace
}  // namespace net::preload
