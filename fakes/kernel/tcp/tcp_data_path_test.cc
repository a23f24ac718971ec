#include "fakes/kernel/tcp/tcp_data_path.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "fakes/fake_kernel.h"
#include "fakes/fake_process.h"
#include "fakes/kernel/link_options.h"
#include "fakes/kernel/short_calls.h"
#include "fakes/kernel/tcp/tcp_info.h"
#include "gtest/gtest.h"
#include "syscalls/net/ip_addr.h"
#include "syscalls/sys_result.h"
#include "syscalls/testing/matchers.h"

// Data that is passed on at once has the same effects as data in a queue of
// segments. Random programs run on two kernels, one of which queues every
// segment.

namespace net::fake {
namespace {

// A link that is not perfect, though no segment uses it. A kernel with such a
// link passes nothing on at once.
void QueueSegments(FakeKernel& kernel) {
  ASSERT_TRUE(kernel
                  .SetLink({.from = ip::Addr::V4(127, 9, 9, 1),
                            .to = ip::Addr::V4(127, 9, 9, 2)},
                           {.delay = absl::Seconds(1)})
                  .ok());
}

// A kernel with two connections, and an epoll of their ends.
class World {
 public:
  explicit World(bool queues) {
    if (queues) QueueSegments(kernel_);
    const int listener = NewListener(sys_);
    for (int i = 0; i < 2; ++i) {
      const Pair pair = NewPair(sys_, listener);
      ends_.push_back(pair.client);
      ends_.push_back(pair.server);
    }
    for (const int end : ends_) {
      epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET,
                           .data = {.fd = end}};
      Must(sys_.EpollCtl(epoll_, EPOLL_CTL_ADD, end, &event));
    }
  }

  SysResult Send(size_t end, size_t size, int flags) {
    std::vector<char> data(size);
    for (char& byte : data) byte = next_byte_++;
    return sys_.Send(ends_[end], data.data(), size, MSG_DONTWAIT | flags);
  }
  SysResult Recv(size_t end, size_t size) {
    received_.assign(size, 0);
    const SysResult result =
        sys_.Recv(ends_[end], received_.data(), size, MSG_DONTWAIT);
    received_.resize(result.ok() ? static_cast<size_t>(result.value()) : 0);
    return result;
  }
  SysResult Set(size_t end, int level, int name, int value) {
    return SetOption(sys_, ends_[end], level, name, value);
  }
  SysResult Shutdown(size_t end) { return sys_.Shutdown(ends_[end], SHUT_WR); }
  // Returns the events of the next file that has some.
  std::string Events() {
    epoll_event event = {};
    const SysResult count = sys_.EpollWait(epoll_, &event, 1, 0);
    return absl::StrCat(count.ok() ? count.value() : -count.error(), " ",
                        event.events, " ", event.data.fd);
  }
  void Advance(absl::Duration time) { kernel_.Advance(time); }

  const std::string& received() const { return received_; }
  // Everything that a program can see.
  std::string State() {
    std::string text = kernel_.Dump();
    for (const int end : ends_) {
      const TcpInfo info = InfoOf(sys_, end);
      text.append(reinterpret_cast<const char*>(&info), sizeof(info));
      absl::StrAppend(&text, OptionOf(sys_, end, IPPROTO_TCP, TCP_QUICKACK),
                      " ", OptionOf(sys_, end, SOL_SOCKET, SO_RCVBUF), "\n");
    }
    for (const absl::Duration timer : kernel_.Timers()) {
      absl::StrAppend(&text, absl::FormatDuration(timer), "\n");
    }
    return text;
  }

 private:
  FakeKernel kernel_;
  FakeProcess& sys_ = kernel_.NewProcess();
  std::vector<int> ends_;
  const int epoll_ = Must(sys_.EpollCreate1(0));
  char next_byte_ = 0;
  std::string received_;
};

// Makes the same random calls on both kernels.
class Comparison {
 public:
  explicit Comparison(uint32_t seed) : random_(seed) {}

  void Run(int steps) {
    for (int step = 0; step < steps && !testing::Test::HasFailure(); ++step) {
      SCOPED_TRACE(absl::StrCat("step ", step));
      Step();
      // Seldom: the calls that read the state end what is passed on at once.
      if (Pick(8) == 0) {
        EXPECT_EQ(passing_.State(), queueing_.State());
      }
    }
    EXPECT_EQ(passing_.State(), queueing_.State());
  }

 private:
  uint32_t Pick(uint32_t count) {
    return static_cast<uint32_t>(random_()) % count;
  }

  size_t Size() {
    switch (Pick(12)) {
      case 0:
        return 1 + Pick(70'000);
      case 1:
        return 1 + Pick(4'000);
      case 2:
        return 120 + Pick(20);
      default:
        return 1 + Pick(100);
    }
  }

  template <typename Call>
  void Both(Call call) {
    const SysResult passing = call(passing_);
    const SysResult queueing = call(queueing_);
    EXPECT_EQ(passing, queueing);
    EXPECT_EQ(passing_.received(), queueing_.received());
  }

  void Exchange(size_t end) {
    const size_t size = 1 + Pick(100);
    for (uint32_t i = Pick(4); i > 0; --i) {
      Both([&](World& world) { return world.Send(end, size, 0); });
      Both([&](World& world) { return world.Recv(end ^ 1, size); });
      Both([&](World& world) {
        return world.Send(end ^ 1, size, MSG_NOSIGNAL);
      });
      Both([&](World& world) { return world.Recv(end, 200); });
    }
  }

  void SetSomething(size_t end) {
    struct Option {
      int level;
      int name;
      int values[3];
    };
    static constexpr Option kOptions[] = {
        {IPPROTO_TCP, TCP_NODELAY, {0, 1, 1}},
        {IPPROTO_TCP, TCP_CORK, {0, 1, 0}},
        {IPPROTO_TCP, TCP_QUICKACK, {0, 1, 2}},
        {IPPROTO_TCP, TCP_NOTSENT_LOWAT, {0, 100, 5000}},
        {SOL_SOCKET, SO_RCVLOWAT, {1, 50, 3000}},
        {SOL_SOCKET, SO_SNDBUF, {5000, 50'000, 400'000}},
        {SOL_SOCKET, SO_RCVBUF, {3000, 30'000, 400'000}},
        {SOL_SOCKET, SO_TIMESTAMP, {0, 1, 1}},
        {SOL_SOCKET, SO_PEEK_OFF, {-1, 0, 10}},
        {IPPROTO_IP, IP_MINTTL, {0, 64, 64}},
        {IPPROTO_IP, IP_TTL, {64, 63, 64}},
    };
    const Option& option = kOptions[Pick(std::size(kOptions))];
    const int value = option.values[Pick(3)];
    Both([&](World& world) {
      return world.Set(end, option.level, option.name, value);
    });
  }

  void Step() {
    const size_t end = Pick(4);
    switch (Pick(16)) {
      case 0: {
        const absl::Duration time = absl::Microseconds(uint64_t{1} << Pick(22));
        passing_.Advance(time);
        queueing_.Advance(time);
        return;
      }
      case 1:
        return Pick(4) == 0 ? SetSomething(end) : Exchange(end);
      case 2:
        EXPECT_EQ(passing_.Events(), queueing_.Events());
        return;
      case 3:
        if (Pick(100) == 0) {
          Both([&](World& world) { return world.Shutdown(end); });
        }
        return;
      case 4:
      case 5:
      case 6:
      case 7:
      case 8: {
        const size_t size = Size();
        Both([&](World& world) { return world.Send(end, size, 0); });
        return;
      }
      case 9:
      case 10:
      case 11:
      case 12: {
        const size_t size = Size();
        Both([&](World& world) { return world.Recv(end, size); });
        return;
      }
      default:
        return Exchange(end);
    }
  }

  std::mt19937 random_;
  World passing_{/*queues=*/false};
  World queueing_{/*queues=*/true};
};

TEST(TcpDataPath, DataThatIsPassedOnAtOnceHasTheEffectsOfQueuedSegments) {
  for (uint32_t seed = 1; seed <= 200 && !HasFailure(); ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    Comparison(seed).Run(400);
  }
}

}  // namespace
}  // namespace net::fake
