// Compares every option, with every length and many values, on the kernel that
// this runs on and in SocketOptions: the results must be equal, byte for byte.

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <limits>
#include <ostream>
#include <random>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "fakes/kernel/options/option_sockets.h"
#include "fakes/kernel/options/options.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/sandbox/capabilities.h"
#include "syscalls/sandbox/network_namespace.h"
#include "syscalls/sys_result.h"
#include "syscalls/testing/matchers.h"

namespace net::fake {

void PrintTo(Stage stage, std::ostream* os) { *os << StageName(stage); }

namespace {

constexpr int kLevels[] = {IPPROTO_IP, SOL_SOCKET, IPPROTO_TCP, IPPROTO_IPV6,
                           /*none that there is*/ 222};
constexpr int kMostName = 90;

// --- Where the two may differ

struct Exception {
  int level;
  int name;
  absl::string_view why;
};

// Options that are not compared at all.
constexpr Exception kUnmodelled[] = {
    {SOL_SOCKET, SO_ATTACH_FILTER, "filters"},
    {SOL_SOCKET, SO_ATTACH_BPF, "filters"},
    {SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, "filters"},
    {SOL_SOCKET, SO_ATTACH_REUSEPORT_EBPF, "filters"},
    {SOL_SOCKET, SO_DETACH_REUSEPORT_BPF, "filters"},
    {SOL_SOCKET, /*SO_DEVMEM_DONTNEED*/ 80, "device memory"},
    {SOL_SOCKET, /*SO_RESERVE_MEM*/ 73, "control groups"},
    {IPPROTO_IP, IP_OPTIONS, "options of packets"},
    {IPPROTO_IP, IP_PKTOPTIONS, "options of packets"},
    {IPPROTO_IP, /*IPT_SO_SET_REPLACE*/ 64, "netfilter"},
    {IPPROTO_IP, /*IPT_SO_SET_ADD_COUNTERS*/ 65, "netfilter"},
    {IPPROTO_IP, /*IPT_SO_GET_REVISION_MATCH*/ 66, "netfilter"},
    {IPPROTO_IP, /*IPT_SO_GET_REVISION_TARGET*/ 67, "netfilter"},
    {IPPROTO_IP, /*SO_ORIGINAL_DST*/ 80, "netfilter"},
    {IPPROTO_IP, /*EBT or IPVS*/ 83, "netfilter"},
    {IPPROTO_IPV6, IPV6_2292PKTOPTIONS, "options of packets"},
    {IPPROTO_IPV6, IPV6_HOPOPTS, "options of packets"},
    {IPPROTO_IPV6, IPV6_RTHDRDSTOPTS, "options of packets"},
    {IPPROTO_IPV6, IPV6_RTHDR, "options of packets"},
    {IPPROTO_IPV6, IPV6_DSTOPTS, "options of packets"},
    {IPPROTO_IPV6, /*IPV6_FLOWLABEL_MGR*/ 32, "flow labels"},
    {IPPROTO_IPV6, /*IP6T_SO_SET_REPLACE*/ 64, "netfilter"},
    {IPPROTO_IPV6, /*IP6T_SO_SET_ADD_COUNTERS*/ 65, "netfilter"},
    {IPPROTO_IPV6, /*IP6T_SO_GET_REVISION_MATCH*/ 68, "netfilter"},
    {IPPROTO_IPV6, /*IP6T_SO_GET_REVISION_TARGET*/ 69, "netfilter"},
    {IPPROTO_IPV6, /*IP6T_SO_ORIGINAL_DST*/ 80, "netfilter"},
    {IPPROTO_TCP, TCP_REPAIR, "checkpoints"},
    {IPPROTO_TCP, TCP_CC_INFO, "the machine's congestion control"},
    {IPPROTO_TCP, TCP_CONGESTION, "the machine's congestion control"},
    {IPPROTO_TCP, TCP_FASTOPEN_KEY, "keys"},
    {IPPROTO_TCP, TCP_MD5SIG, "signatures"},
    {IPPROTO_TCP, TCP_MD5SIG_EXT, "signatures"},
    {IPPROTO_TCP, TCP_ZEROCOPY_RECEIVE, "mapped memory"},
};

// Options of which only success and length are compared. The value depends on
// the running network or on the kernel's counters.
constexpr Exception kOfTheNetwork[] = {
    {SOL_SOCKET, SO_COOKIE, "a counter"},
    {SOL_SOCKET, /*SO_NETNS_COOKIE*/ 71, "a counter"},
    {SOL_SOCKET, SO_PEERNAME, "ports"},
    {IPPROTO_TCP, TCP_INFO, "times"},
    {IPPROTO_TCP, TCP_TIMESTAMP, "a clock"},
};
// The same, but only for connections.
constexpr Exception kOfTheConnection[] = {
    {SOL_SOCKET, SO_SNDBUF, "autotuning"},
    {SOL_SOCKET, SO_MEMINFO, "autotuning"},
    {SOL_SOCKET, SO_INCOMING_CPU, "which CPU"},
    {IPPROTO_TCP, TCP_MAXSEG, "window"},
    {IPPROTO_TCP, TCP_WINDOW_CLAMP, "window"},
};

template <size_t kSize>
bool IsIn(const Exception (&exceptions)[kSize], int level, int name) {
  return std::any_of(std::begin(exceptions), std::end(exceptions),
                     [&](const Exception& exception) {
                       return exception.level == level &&
                              exception.name == name;
                     });
}

bool ComparesValue(Stage stage, int level, int name) {
  return !IsIn(kOfTheNetwork, level, name) &&
         !(HasConnection(stage) && IsIn(kOfTheConnection, level, name));
}

// --- The grid

using Parameter = std::tuple<int, Stage, bool>;

class OptionsGrid : public ::testing::TestWithParam<Parameter> {
 protected:
  static void SetUpTestSuite() { network = sandbox::EnterOwnNetwork(); }

  void SetUp() override {
    if (!network.ok()) GTEST_SKIP() << network.message();
    if (!IsMeasuredKernel()) GTEST_SKIP() << "not Linux 6.18 with HZ=250";
    if (!capable()) {
      ASSERT_THAT(sandbox::DropCapabilities(), IsOk());
    }
    settings_ = ReadHostSettings();
  }
  void TearDown() override {
    EXPECT_THAT(sandbox::RestoreCapabilities(), IsOk());
  }

  static int family() { return std::get<0>(GetParam()); }
  static Stage stage() { return std::get<1>(GetParam()); }
  static bool capable() { return std::get<2>(GetParam()); }

  // A real socket and its model in the same state.
  struct Pair {
    explicit Pair(const HostSettings& settings)
        : real(family(), stage()),
          model(family(), stage(), real.port(), settings) {}

    LinuxSocket real;
    ModelSocket model;
  };
  Pair NewPair() const { return Pair(settings_); }

  // Calls `f` for each option that is compared.
  template <typename F>
  void ForEachOption(F f) const {
    for (const int level : kLevels) {
      for (int name = -1; name <= kMostName; ++name) {
        if (!IsIn(kUnmodelled, level, name)) f(level, name);
      }
    }
  }

  // Compares getsockopt(2) of the two sockets.
  static void ExpectSame(Pair& pair, int level, int name, socklen_t size,
                         bool null, const std::string& after) {
    GetResult real = pair.real.Call(level, name, size, null);
    GetResult model = pair.model.Call(level, name, size, null);
    if (!ComparesValue(stage(), level, name)) real.value = model.value = "";
    EXPECT_EQ(model, real) << "getsockopt level " << level << " name " << name
                           << " size " << static_cast<int>(size)
                           << (null ? " null" : "") << after;
  }

  HostSettings settings_;

 private:
  static inline absl::Status network;
};

// A fresh socket uses all sizes. The other stages use a few that show
// differences.
constexpr int kFewSizes[] = {-1, 0, 3, 4, 8, 16, 20, 264};
constexpr int kSizes[] = {-1,  0,   1,   2,   3,   4,   5,   7,  8,  11,
                          12,  13,  15,  16,  17,  20,  31,  32, 36, 64,
                          100, 136, 143, 144, 255, 264, 300, 512};

TEST_P(OptionsGrid, Get) {
  Pair pair = NewPair();
  ForEachOption([&](int level, int name) {
    for (const int size : kSizes) {
      for (const bool null : {false, true}) {
        ExpectSame(pair, level, name, static_cast<socklen_t>(size), null, "");
      }
    }
  });
}

TEST_P(OptionsGrid, SetWithEveryLength) {
  absl::Span<const int> sizes = kFewSizes;
  if (stage() == Stage::kFresh && capable()) sizes = kSizes;
  constexpr int kSizesOfNothing[] = {-1, 0, 1, 4};
  ForEachOption([&](int level, int name) {
    const int on = 1;
    const SysResult known = NewPair().real.Set(level, name, &on, sizeof(on));
    const absl::Span<const int> tried =
        known.error() == ENOPROTOOPT ? kSizesOfNothing : sizes;
    for (const int size : tried) {
      for (const bool null : {false, true}) {
        Pair pair = NewPair();
        std::array<char, 8192> value = {1};
        const void* from = null ? nullptr : value.data();
        const auto given = static_cast<socklen_t>(size);
        const SysResult real = pair.real.Set(level, name, from, given);
        const SysResult model = pair.model.Set(level, name, from, given);
        EXPECT_EQ(model, real)
            << "setsockopt level " << level << " name " << name << " size "
            << size << (null ? " null" : "");
        if (real.ok()) {
          ExpectSame(pair, level, name, 64, false,
                     absl::StrCat(" after setting of size ", size));
        }
      }
    }
  });
}

std::vector<int> Values() {
  std::vector<int> values = {std::numeric_limits<int>::min(),
                             std::numeric_limits<int>::min() + 1,
                             -1000,
                             60000,
                             100'000,
                             120'000,
                             120'001,
                             199'999,
                             200'000,
                             200'001,
                             3'000'000,
                             std::numeric_limits<int>::max() - 1,
                             std::numeric_limits<int>::max()};
  for (int i = -3; i <= 40; ++i) values.push_back(i);
  for (int bit = 6; bit < 31; ++bit) {
    for (const int by : {-1, 0, 1}) values.push_back((1 << bit) + by);
  }
  for (const int one : {87, 88, 89, 119, 120, 121, 126, 1000, 1279, 1280, 1281,
                        4001, 4999, 8001, 16383, 2303, 2304, 2305, 29887}) {
    values.push_back(one);
  }
  return values;
}

std::vector<int> FewValues() {
  return {std::numeric_limits<int>::min(),
          -2,
          -1,
          0,
          1,
          2,
          3,
          7,
          10,
          64,
          88,
          100,
          128,
          256,
          1024,
          1152,
          1280,
          4096,
          8192,
          32767,
          32768,
          65536,
          100'000,
          120'000,
          1 << 18,
          3'000'000,
          1 << 24,
          std::numeric_limits<int>::max()};
}

TEST_P(OptionsGrid, SetEveryNumber) {
  const std::vector<int> values =
      stage() == Stage::kFresh && capable() ? Values() : FewValues();
  ForEachOption([&](int level, int name) {
    for (const int value : values) {
      Pair pair = NewPair();
      const SysResult real = pair.real.Set(level, name, &value, sizeof(value));
      const SysResult model =
          pair.model.Set(level, name, &value, sizeof(value));
      EXPECT_EQ(model, real) << "setsockopt level " << level << " name " << name
                             << " to " << value;
      if (real.error() == ENOPROTOOPT && value != values.front()) return;
      ExpectSame(pair, level, name, 64, false,
                 absl::StrCat(" after setting ", value));
    }
  });
}

// Checks the effect of each option on all others.
TEST_P(OptionsGrid, SideEffects) {
  std::vector<std::pair<int, int>> known;
  Pair untouched = NewPair();
  ForEachOption([&](int level, int name) {
    if (untouched.real.Call(level, name, 64).error != ENOPROTOOPT) {
      known.emplace_back(level, name);
    }
  });
  ForEachOption([&](int level, int name) {
    for (const int value : {1, 8, 5'000'000}) {
      Pair pair = NewPair();
      const SysResult real = pair.real.Set(level, name, &value, sizeof(value));
      const SysResult model =
          pair.model.Set(level, name, &value, sizeof(value));
      EXPECT_EQ(model, real);
      if (!real.ok()) continue;
      for (const auto& [other_level, other_name] : known) {
        ExpectSame(pair, other_level, other_name, 64, false,
                   absl::StrCat(" after setting level ", level, " name ", name,
                                " to ", value));
      }
    }
  });
}

// Sets random options one after the other.
TEST_P(OptionsGrid, Sequences) {
  std::vector<std::pair<int, int>> known;
  ForEachOption([&](int level, int name) { known.emplace_back(level, name); });
  const std::vector<int> values = FewValues();
  std::mt19937 random(4712);
  const auto pick = [&](size_t size) { return random() % size; };
  for (int round = 0; round < 20; ++round) {
    Pair pair = NewPair();
    std::string done;
    for (int step = 0; step < 60; ++step) {
      const auto [level, name] = known[pick(known.size())];
      const int value = values[pick(values.size())];
      const SysResult real = pair.real.Set(level, name, &value, sizeof(value));
      const SysResult model =
          pair.model.Set(level, name, &value, sizeof(value));
      if (real.ok()) absl::StrAppend(&done, " ", level, ":", name, "=", value);
      ASSERT_EQ(model, real)
          << level << ":" << name << "=" << value << " after" << done;
    }
    for (const auto& [level, name] : known) {
      ExpectSame(pair, level, name, 64, false, absl::StrCat(" after", done));
    }
  }
}

TEST_P(OptionsGrid, Structures) {
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
  for (const int name :
       {SO_RCVTIMEO_OLD, SO_SNDTIMEO_OLD, SO_RCVTIMEO_NEW, SO_SNDTIMEO_NEW}) {
    for (const int64_t seconds :
         {int64_t{0}, int64_t{-1}, int64_t{1}, int64_t{86400}, kMost / 250 - 2,
          kMost / 250 - 1, kMost}) {
      for (const int64_t us :
           {-1, 0, 1, 3999, 4000, 4001, 996'001, 999'999, 1'000'000}) {
        const int64_t value[2] = {seconds, us};
        Pair pair = NewPair();
        EXPECT_EQ(pair.model.Set(SOL_SOCKET, name, value, sizeof(value)),
                  pair.real.Set(SOL_SOCKET, name, value, sizeof(value)))
            << seconds << " s " << us << " us";
        ExpectSame(pair, SOL_SOCKET, name, 64, false,
                   absl::StrCat(" after setting ", seconds, " s ", us, " us"));
      }
    }
  }
  for (const int on : {0, 1, 2, -1}) {
    for (const int seconds : {0, 5, -1, std::numeric_limits<int>::min(),
                              std::numeric_limits<int>::max()}) {
      const linger value = {.l_onoff = on, .l_linger = seconds};
      Pair pair = NewPair();
      EXPECT_EQ(pair.model.Set(SOL_SOCKET, SO_LINGER, &value, sizeof(value)),
                pair.real.Set(SOL_SOCKET, SO_LINGER, &value, sizeof(value)));
      ExpectSame(pair, SOL_SOCKET, SO_LINGER, 64, false,
                 absl::StrCat(" after setting ", on, ", ", seconds));
    }
  }
  for (const int clock : {-1, 0, 1, 2, 3, 7, 11, 12}) {
    for (const int flags : {0, 1, 2, 3, 4}) {
      const int value[2] = {clock, flags};
      Pair pair = NewPair();
      EXPECT_EQ(pair.model.Set(SOL_SOCKET, SO_TXTIME, value, sizeof(value)),
                pair.real.Set(SOL_SOCKET, SO_TXTIME, value, sizeof(value)))
          << clock << " " << flags;
      ExpectSame(pair, SOL_SOCKET, SO_TXTIME, 64, false, "");
    }
  }
}

TEST_P(OptionsGrid, Devices) {
  for (const absl::string_view device :
       {"", "lo", "lo0", "nosuch", "a name that is much too long"}) {
    Pair pair = NewPair();
    const auto size = static_cast<socklen_t>(device.size());
    EXPECT_EQ(pair.model.Set(SOL_SOCKET, SO_BINDTODEVICE, device.data(), size),
              pair.real.Set(SOL_SOCKET, SO_BINDTODEVICE, device.data(), size))
        << device;
    for (const socklen_t room : {0U, 3U, 15U, 16U, 17U}) {
      ExpectSame(pair, SOL_SOCKET, SO_BINDTODEVICE, room, false, "");
    }
    // Changing the device of a bound socket needs CAP_NET_RAW.
    EXPECT_EQ(pair.model.Set(SOL_SOCKET, SO_BINDTODEVICE, "", 0),
              pair.real.Set(SOL_SOCKET, SO_BINDTODEVICE, "", 0));
    ExpectSame(pair, SOL_SOCKET, SO_BINDTOIFINDEX, 4, false, "");
  }
}

// Checks which of two options, set one after the other, getsockopt(2) returns.
TEST_P(OptionsGrid, Timestamps) {
  constexpr int kNames[] = {SO_TIMESTAMP_OLD,    SO_TIMESTAMPNS_OLD,
                            SO_TIMESTAMP_NEW,    SO_TIMESTAMPNS_NEW,
                            SO_TIMESTAMPING_OLD, SO_TIMESTAMPING_NEW};
  for (const int first : kNames) {
    for (const int second : kNames) {
      for (const int value : {0, 1}) {
        Pair pair = NewPair();
        for (OptionSocket* socket : {static_cast<OptionSocket*>(&pair.real),
                                     static_cast<OptionSocket*>(&pair.model)}) {
          const int on = 1;
          EXPECT_TRUE(socket->Set(SOL_SOCKET, first, &on, sizeof(on)).ok());
          EXPECT_TRUE(
              socket->Set(SOL_SOCKET, second, &value, sizeof(value)).ok());
        }
        for (const int name : kNames) {
          ExpectSame(
              pair, SOL_SOCKET, name, 64, false,
              absl::StrCat(" after ", first, " on, then ", second, "=", value));
        }
      }
    }
  }
}

std::string NameOf(const ::testing::TestParamInfo<Parameter>& parameter) {
  const auto [family, stage, capable] = parameter.param;
  return absl::StrCat(family == AF_INET ? "V4" : "V6", StageName(stage),
                      capable ? "" : "WithoutCapabilities");
}

INSTANTIATE_TEST_SUITE_P(
    All, OptionsGrid,
    ::testing::Combine(::testing::Values(AF_INET, AF_INET6),
                       ::testing::Values(Stage::kFresh, Stage::kBound,
                                         Stage::kListening, Stage::kConnected,
                                         Stage::kAccepted),
                       ::testing::Values(true)),
    &NameOf);

INSTANTIATE_TEST_SUITE_P(
    Incapable, OptionsGrid,
    ::testing::Combine(::testing::Values(AF_INET, AF_INET6),
                       ::testing::Values(Stage::kFresh, Stage::kListening),
                       ::testing::Values(false)),
    &NameOf);

}  // namespace
}  // namespace net::fake
