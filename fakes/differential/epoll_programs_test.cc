// Random programs of epoll(7) calls, of one thread, on Linux and on the
// FakeKernel. Each call must have the same result on both.

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <ctime>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "fakes/fake_kernel.h"
#include "fakes/fake_process.h"
#include "fakes/symbols.h"
#include "gtest/gtest.h"
#include "syscalls/errors/errno_symbol.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"

namespace net::differential {
namespace {

constexpr size_t kFiles = 14;
constexpr size_t kEpolls = 4;
constexpr int kSteps = 60;
constexpr int kPrograms = 300;
// A difference that is gone when the program runs once more was one of time: an
// acknowledgement that Linux delays for 40 ms wakes an epoll, too.
constexpr int kTries = 4;

std::string Text(SysResult result) {
  return result.ok() ? absl::StrCat(result.value())
                     : ErrnoSymbol(result.error());
}

// One program. The calls depend on the seed only, and not on their results.
class EpollProgram {
 public:
  EpollProgram(Syscalls& sys, uint64_t seed) : sys_(sys), random_(seed) {
    files_.fill(-1);
    for (size_t i = 0; i < kEpolls; ++i) files_.at(i) = NewEpoll();
  }
  EpollProgram(const EpollProgram&) = delete;
  EpollProgram& operator=(const EpollProgram&) = delete;
  ~EpollProgram() {
    for (size_t i = 0; i < kFiles; ++i) Close(i);
  }

  // Makes the next call, and returns it with its result.
  std::string Step() {
    ++step_;
    switch (Below(20)) {
      case 0:
        return MakeFiles();
      case 1:
      case 2:
      case 3:
      case 4:
        return Control();
      case 5:
      case 6:
      case 7:
      case 8:
        return Wait();
      case 9:
        return PollOne();
      case 10:
      case 11:
        return Write();
      case 12:
      case 13:
        return Read();
      case 14:
        return Chance(3) ? Duplicate() : End();
      case 15:
        return SetTimer(AnyFile());
      case 16:
        return GetTimer();
      case 17:
      case 18:
        return Splice();
      default:
        return Chance(4) ? FillPipe() : Write();
    }
  }

 private:
  size_t Below(size_t limit) { return random_() % limit; }
  bool Chance(size_t one_in) { return Below(one_in) == 0; }
  size_t AnyFile() { return kEpolls + Below(kFiles - kEpolls); }

  int NewEpoll() { return sys_.EpollCreate1(EPOLL_CLOEXEC).fd(); }

  void Close(size_t slot) {
    if (files_.at(slot) >= 0) {
      static_cast<void>(sys_.Close(files_.at(slot)));
    }
    files_.at(slot) = -1;
  }

  // Replaces two files by the ends of a connection or of a pipe, or one by an
  // eventfd, a timerfd or an epoll.
  std::string MakeFiles() {
    const size_t one = AnyFile();
    const size_t two = AnyFile();
    const size_t kind = Below(9);
    Close(one);
    if (kind == 8) {
      files_.at(one) = sys_.TimerFdCreate(CLOCK_REALTIME, TFD_NONBLOCK).fd();
      return absl::StrCat("f", one, " = timerfd ", SetTimer(one));
    }
    if (kind == 0) {
      const size_t epoll = Below(kEpolls);
      Close(epoll);
      files_.at(epoll) = NewEpoll();
      return absl::StrCat("f", epoll, " = epoll, close f", one);
    }
    if (kind <= 2) {
      files_.at(one) =
          sys_.EventFd(0, EFD_NONBLOCK | (kind == 2 ? int{EFD_SEMAPHORE} : 0))
              .fd();
      return absl::StrCat("f", one, " = eventfd ", kind);
    }
    if (one == two) return absl::StrCat("close f", one);
    Close(two);
    std::array<int, 2> ends = {-1, -1};
    if (kind <= 4) {
      static_cast<void>(sys_.Pipe2(ends.data(), O_NONBLOCK));
    } else {
      Connect(ends);
    }
    files_.at(one) = ends[0];
    files_.at(two) = ends[1];
    return absl::StrCat("f", one, " f", two, kind <= 4 ? " = pipe" : " = tcp");
  }

  void Connect(std::array<int, 2>& ends) {
    const int listener = sys_.Socket(AF_INET, SOCK_STREAM, 0).fd();
    sockaddr_in name = {};
    name.sin_family = AF_INET;
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(name);
    auto* const address = reinterpret_cast<sockaddr*>(&name);
    static_cast<void>(sys_.Bind(listener, address, size));
    static_cast<void>(sys_.Listen(listener, 1));
    static_cast<void>(sys_.GetSockName(listener, address, &size));
    ends[0] = sys_.Socket(AF_INET, SOCK_STREAM, 0).fd();
    static_cast<void>(sys_.Connect(ends[0], address, size));
    static_cast<void>(sys_.Fcntl(ends[0], F_SETFL, O_NONBLOCK));
    ends[1] = sys_.Accept4(listener, nullptr, nullptr, SOCK_NONBLOCK).fd();
    static_cast<void>(sys_.Close(listener));
  }

  std::string Control() {
    const size_t epoll = Below(kEpolls);
    const size_t file = Chance(5) ? Below(kEpolls) : AnyFile();
    constexpr std::array<int, 6> kOperations = {EPOLL_CTL_ADD, EPOLL_CTL_ADD,
                                                EPOLL_CTL_ADD, EPOLL_CTL_MOD,
                                                EPOLL_CTL_MOD, EPOLL_CTL_DEL};
    const int operation = kOperations.at(Below(kOperations.size()));
    epoll_event event = {.events = 0,
                         .data = {.u64 = static_cast<uint64_t>(step_)}};
    if (!Chance(4)) event.events |= EPOLLIN;
    if (Chance(3)) event.events |= EPOLLOUT;
    if (Chance(5)) event.events |= EPOLLRDHUP;
    if (Chance(2)) event.events |= uint32_t{EPOLLET};
    if (Chance(5)) event.events |= EPOLLONESHOT;
    if (Chance(8)) event.events |= EPOLLEXCLUSIVE;
    const SysResult result =
        sys_.EpollCtl(files_.at(epoll), operation, files_.at(file), &event);
    return absl::StrCat("epoll_ctl(f", epoll, ", ",
                        EpollOperationSymbol(operation), ", f", file, ", ",
                        EpollEventSymbols(event.events), ", ", step_,
                        ") = ", Text(result));
  }

  // Sets a timer, if the file is one: for a time in the past, once or every
  // thousand seconds, for one far away, or not at all. The time until the next
  // expiration is therefore never short.
  std::string SetTimer(size_t slot) {
    constexpr time_t kInterval = 1000;
    timespec now = {};
    static_cast<void>(sys_.ClockGetTime(CLOCK_REALTIME, &now));
    itimerspec value = {};
    const size_t kind = Below(5);
    if (kind > 0) value.it_value.tv_sec = now.tv_sec - kInterval / 2;
    if (kind == 2) value.it_value.tv_sec += kInterval;
    if (kind >= 3) {
      value.it_interval.tv_sec = kInterval;
      value.it_value.tv_sec -= kInterval * static_cast<time_t>(Below(4));
    }
    const SysResult result = sys_.TimerFdSetTime(
        files_.at(slot), TFD_TIMER_ABSTIME, &value, nullptr);
    return absl::StrCat("settime(f", slot, ", ", kind, ") = ", Text(result));
  }

  // Counts the expirations of a timer, if the file is one.
  std::string GetTimer() {
    const size_t slot = AnyFile();
    itimerspec value = {};
    const SysResult result = sys_.TimerFdGetTime(files_.at(slot), &value);
    return absl::StrCat("gettime(f", slot, ") = ", Text(result), " ",
                        value.it_value.tv_sec > 0, " ",
                        value.it_interval.tv_sec);
  }

  std::string Wait() {
    const size_t epoll = Below(kEpolls);
    std::array<epoll_event, 8> events = {};
    const int most = Chance(2) ? 8 : 1 + static_cast<int>(Below(3));
    const SysResult result =
        sys_.EpollWait(files_.at(epoll), events.data(), most, 0);
    std::string text =
        absl::StrCat("epoll_wait(f", epoll, ", ", most, ") = ", Text(result));
    for (size_t i = 0; result.ok() && i < static_cast<size_t>(result.value());
         ++i) {
      absl::StrAppend(&text, " ", uint64_t{events.at(i).data.u64}, ":",
                      EpollEventSymbols(events.at(i).events));
    }
    return text;
  }

  std::string PollOne() {
    const size_t slot = Chance(2) ? Below(kEpolls) : AnyFile();
    constexpr int16_t kEvents = POLLIN | POLLOUT | POLLRDHUP;
    pollfd entry = {.fd = files_.at(slot), .events = kEvents, .revents = 0};
    const SysResult result = sys_.Poll(&entry, 1, 0);
    return absl::StrCat("poll(f", slot, ") = ", Text(result), " ",
                        entry.revents);
  }

  // Whether this is a socket that has received a FIN. Linux delays the FIN's
  // acknowledgement by 40 ms, or until the socket sends data, and wakes who
  // waits for the peer when it arrives.
  bool PeerHasEnded(int fd) {
    pollfd entry = {.fd = fd, .events = POLLRDHUP, .revents = 0};
    return IsSocket(fd) && sys_.Poll(&entry, 1, 0).value() == 1;
  }

  bool IsSocket(int fd) {
    int type = 0;
    socklen_t size = sizeof(type);
    return sys_.GetSockOpt(fd, SOL_SOCKET, SO_TYPE, &type, &size).ok();
  }

  std::string Write() {
    const size_t slot = AnyFile();
    const uint64_t value = 1 + Below(3);
    if (PeerHasEnded(files_.at(slot))) return "-";
    if (!Chance(3)) {
      const SysResult result =
          sys_.Write(files_.at(slot), &value, sizeof(value));
      return absl::StrCat("write(f", slot, ", ", value, ") = ", Text(result));
    }
    // In two buffers, or in three of which one is empty.
    const std::array<uint64_t, 2> values = {value, value};
    std::array<iovec, 3> parts = {};
    const size_t size = Chance(2) ? sizeof(value) : 3;
    for (size_t i = 0; i < 2; ++i) {
      parts.at(i) = {.iov_base = const_cast<uint64_t*>(&values.at(i)),
                     .iov_len = size};
    }
    if (Chance(4)) std::swap(parts[1], parts[2]);
    const SysResult result =
        sys_.WriteV(files_.at(slot), parts.data(), parts.size());
    return absl::StrCat("writev(f", slot, ", ", value, ", ", size,
                        ") = ", Text(result));
  }

  std::string Read() {
    const size_t slot = AnyFile();
    std::array<char, 9000> data = {};
    const size_t size = Chance(3) ? data.size() : 8;
    const size_t first = Chance(3) ? 1 + Below(size - 1) : size;
    const std::array<iovec, 2> parts = {
        iovec{data.data(), first}, iovec{data.data() + first, size - first}};
    const SysResult result = first == size
                                 ? sys_.Read(files_.at(slot), data.data(), size)
                                 : sys_.ReadV(files_.at(slot), parts.data(), 2);
    uint64_t value = 0;
    std::memcpy(&value, data.data(), sizeof(value));
    return absl::StrCat("read(f", slot, ", ", first, "+", size - first,
                        ") = ", Text(result), " ", value);
  }

  // Moves bytes between two files, of which one or both may be pipes. Only one
  // byte of a socket: how many pages of a pipe the bytes of several sends take
  // depends on the other sends of the program.
  std::string Splice() {
    const size_t in = AnyFile();
    const size_t out = AnyFile();
    constexpr std::array<size_t, 3> kSizes = {3, 8, 9000};
    size_t size = kSizes.at(Below(kSizes.size()));
    if (IsSocket(files_.at(in))) size = 1;
    if (PeerHasEnded(files_.at(out))) return "-";
    if (Chance(4)) {
      const SysResult result =
          sys_.SendFile(files_.at(out), files_.at(in), nullptr, size);
      return absl::StrCat("sendfile(f", out, ", f", in, ", ", size,
                          ") = ", Text(result));
    }
    const SysResult result =
        sys_.Splice(files_.at(in), nullptr, files_.at(out), nullptr, size, 0);
    return absl::StrCat("splice(f", in, ", f", out, ", ", size,
                        ") = ", Text(result));
  }

  std::string FillPipe() {
    const size_t slot = AnyFile();
    // Not a socket: when a full buffer has room again depends on time.
    if (IsSocket(files_.at(slot))) return "-";
    const std::string page(4096, 'x');
    int pages = 0;
    while (pages < 100 &&
           sys_.Write(files_.at(slot), page.data(), page.size()).ok()) {
      ++pages;
    }
    return absl::StrCat("fill f", slot, " = ", pages);
  }

  std::string Duplicate() {
    const size_t from = AnyFile();
    const size_t to = AnyFile();
    if (from == to) return "-";
    Close(to);
    const SysResult made = sys_.Dup(files_.at(from));
    files_.at(to) = made.ok() ? made.fd() : -1;
    return absl::StrCat("f", to, " = dup(f", from, ") ", made.ok());
  }

  // Ends a file in one of several ways.
  std::string End() {
    const size_t slot = AnyFile();
    const size_t how = Below(5);
    if (how == 3) {
      Close(slot);
      return absl::StrCat("close f", slot);
    }
    if (how == 4) {
      const linger reset = {.l_onoff = 1, .l_linger = 0};
      static_cast<void>(sys_.SetSockOpt(files_.at(slot), SOL_SOCKET, SO_LINGER,
                                        &reset, sizeof(reset)));
      Close(slot);
      return absl::StrCat("reset f", slot);
    }
    const SysResult result =
        sys_.Shutdown(files_.at(slot), static_cast<int>(how));
    return absl::StrCat("shutdown(f", slot, ", ", how, ") = ", Text(result));
  }

  Syscalls& sys_;
  std::mt19937_64 random_;
  std::array<int, kFiles> files_;
  int step_ = 0;
};

std::vector<std::string> Run(Syscalls& sys, uint64_t seed) {
  EpollProgram program(sys, seed);
  std::vector<std::string> results;
  results.reserve(kSteps);
  for (int i = 0; i < kSteps; ++i) results.push_back(program.Step());
  return results;
}

// Returns the program until its first difference, or "".
std::string Difference(uint64_t seed) {
  std::string text;
  for (int i = 0; i < kTries; ++i) {
    FakeKernel kernel;
    const std::vector<std::string> fake = Run(kernel.NewProcess(), seed);
    const std::vector<std::string> real = Run(DefaultSyscalls(), seed);
    const auto [expected, actual] =
        std::mismatch(real.begin(), real.end(), fake.begin());
    if (expected == real.end()) return "";
    text = absl::StrCat(
        "seed ", seed, "\n  ", absl::StrJoin(real.begin(), expected, "\n  "),
        "\nLinux:\n  ", *expected, "\nFakeKernel:\n  ", *actual, "\n");
  }
  return text;
}

TEST(EpollPrograms, HaveTheResultsOfLinux) {
  std::signal(SIGPIPE, SIG_IGN);  // write(2) to a pipe without a reader
  for (uint64_t seed = 1; seed <= kPrograms; ++seed) {
    ASSERT_EQ(Difference(seed), "");
  }
}

}  // namespace
}  // namespace net::differential
