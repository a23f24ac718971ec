#include "syscalls/sandbox/delivery.h"

#include <sched.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <thread>

#include "absl/functional/function_ref.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/net/ip_addr.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"

namespace net::sandbox {
namespace {

// The segments that one call can bring about one after the other, without much
// data: SYN, SYN-ACK, ACK with data and FIN, acknowledgement. Two more for what
// nobody thought of.
constexpr int kLongestExchange = 6;

// The datagrams that are sent if each arrives at once. The second one lets the
// processor send what was too much for it at the first.
constexpr int kAtOnce = 2;

// A datagram that takes longer is lost.
constexpr timeval kPatience = {.tv_sec = 10, .tv_usec = 0};

// Keeps the thread on a processor. If that is gone, it has delivered all.
void StayOn(size_t processor) {
  cpu_set_t only;
  CPU_ZERO(&only);
  CPU_SET(processor, &only);
  sched_setaffinity(0, sizeof(only), &only);
}

}  // namespace

// The processors on which a thread has run.
class Delivery::Processors {
 public:
  // Records that the thread runs here now.
  void Note() {
    const int processor = sched_getcpu();
    if (processor < 0 || processor >= CPU_SETSIZE) return;
    CPU_SET(static_cast<size_t>(processor), &used_);
  }

  // Returns whether the thread has run on this processor only.
  bool AreOnly(int processor) const {
    return processor >= 0 && processor < CPU_SETSIZE &&
           CPU_COUNT(&used_) == 1 &&
           CPU_ISSET(static_cast<size_t>(processor), &used_);
  }
  void Forget() { CPU_ZERO(&used_); }

  // Records all processors on which the thread may run.
  void NoteAll() { sched_getaffinity(0, sizeof(used_), &used_); }

  // Calls `act` on each of them, and forgets them.
  void OnEach(absl::FunctionRef<void()> act) {
    cpu_set_t usual;
    if (sched_getaffinity(0, sizeof(usual), &usual) != 0) return act();
    for (size_t i = 0; i < CPU_SETSIZE; ++i) {
      if (!CPU_ISSET(i, &used_)) continue;
      StayOn(i);
      act();
    }
    Forget();
    sched_setaffinity(0, sizeof(usual), &usual);
  }

 private:
  cpu_set_t used_ = {};
};

// A UDP socket that is connected to itself.
class Delivery::Datagrams {
 public:
  Datagrams() {
    const SysResult made = sys_.Socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (!made.ok()) return;
    fd_ = made.fd();
    if (!ConnectToItself()) Close();
  }
  Datagrams(const Datagrams&) = delete;
  Datagrams& operator=(const Datagrams&) = delete;
  ~Datagrams() { Close(); }

  // Sends a datagram and waits until it has arrived. Gives up for ever if it
  // cannot be sent or is lost. Returns whether it had arrived when the call
  // that sent it returned.
  bool Pass() {
    if (fd_ < 0) return false;
    ++number_;
    bool at_once = true;
    if (!sys_.Send(fd_, &number_, sizeof(number_), MSG_NOSIGNAL).ok() ||
        !Receive(at_once)) {
      Close();
    }
    return at_once;
  }

  // Returns the processor that has delivered the last one, -1 if the kernel
  // does not tell.
  int DeliveredBy() const {
    int processor = -1;
    socklen_t size = sizeof(processor);
    static_cast<void>(
        sys_.GetSockOpt(fd_, SOL_SOCKET, SO_INCOMING_CPU, &processor, &size));
    return processor;
  }

 private:
  bool ConnectToItself() const {
    const ip::SockAddr any_port({ip::kLocalV4, 0});
    sockaddr_storage storage = {};
    auto* const address = reinterpret_cast<sockaddr*>(&storage);
    socklen_t size = sizeof(storage);
    return sys_.Bind(fd_, any_port.get(), any_port.size()).ok() &&
           sys_.GetSockName(fd_, address, &size).ok() &&
           sys_.Connect(fd_, address, size).ok() &&
           sys_.SetSockOpt(fd_, SOL_SOCKET, SO_RCVTIMEO, &kPatience,
                           sizeof(kPatience))
               .ok();
  }

  // Sets `at_once` to false if it has to wait.
  bool Receive(bool& at_once) const {
    while (true) {
      uint64_t number = 0;
      const SysResult got =
          sys_.Recv(fd_, &number, sizeof(number), at_once ? MSG_DONTWAIT : 0);
      if (got.ok() && number == number_) return true;
      if (got.ok() || got.error() == EINTR) continue;
      if (got.error() != EAGAIN || !at_once) return false;
      at_once = false;
    }
  }

  void Close() {
    if (fd_ >= 0) static_cast<void>(sys_.Close(fd_));
    fd_ = -1;
  }

  Syscalls& sys_ = DefaultSyscalls();
  int fd_ = -1;
  uint64_t number_ = 0;
};

Delivery::Delivery()
    : datagrams_(std::make_unique<Datagrams>()),
      processors_(std::make_unique<Processors>()) {}

Delivery::~Delivery() = default;

void Delivery::Note() {
  if (std::this_thread::get_id() == thread_) processors_->Note();
}

void Delivery::Await() {
  if (!is_up_ || std::this_thread::get_id() != thread_) return;
  if (IsAtOnce()) return processors_->Forget();
  AwaitNoted();
}

void Delivery::AwaitAll() {
  if (!is_up_ || std::this_thread::get_id() != thread_) return;
  processors_->NoteAll();
  AwaitNoted();
}

void Delivery::AwaitNoted() {
  processors_->OnEach([this] {
    for (int i = 0; i < kLongestExchange; ++i) datagrams_->Pass();
  });
}

// Returns whether the only processor that may have sent delivers at once.
bool Delivery::IsAtOnce() {
  const int processor = sched_getcpu();
  if (!processors_->AreOnly(processor)) return false;
  for (int i = 0; i < kAtOnce; ++i) {
    if (!datagrams_->Pass()) return false;
  }
  return datagrams_->DeliveredBy() == processor && sched_getcpu() == processor;
}

void StayOnThisProcessor() {
  const int processor = sched_getcpu();
  if (processor >= 0 && processor < CPU_SETSIZE) {
    StayOn(static_cast<size_t>(processor));
  }
}

}  // namespace net::sandbox
