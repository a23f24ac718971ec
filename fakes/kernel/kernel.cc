#include "fakes/kernel/kernel.h"

#include <cstdint>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "fakes/kernel/tcp/tcp_socket.h"
#include "fakes/kernel/tcp/tcp_state.h"
#include "fakes/kernel/tcp/time_wait.h"

namespace net::fake {
namespace {

constexpr char kRow[] = "%-10s %6d %6d  %-28s %s\n";

std::string Row(TcpState state, size_t receive, size_t send,
                const std::string& local, const std::string& remote) {
  return absl::StrFormat(kRow, TcpStateName(state), receive, send, local,
                         remote);
}

}  // namespace

Kernel::Kernel(const FakeSysctls& sysctls, const SchedulerOptions& scheduling)
    : scheduler(
          mutex, clock, [this] { return Dump(); }, scheduling),
      network(*this),
      seed(scheduling.seed) {
  hosts.emplace_back("host", sysctls, seed);
  if constexpr (kChecksInvariants) {
    clock.set_after_timer([this] {
      if (observer != nullptr) observer->OnTimer();
    });
  }
}

Kernel::~Kernel() {
  while (first_time_wait != nullptr) first_time_wait->Kill();
  for (TcpSocket* one = first_socket; one != nullptr; one = one->next_socket_) {
    one->Die();
  }
  FreeDead();
}

void Kernel::FreeDead() {
  while (first_dead != nullptr) {
    TcpSocket* const dead = first_dead;
    first_dead = std::exchange(dead->queue_next_, nullptr);
    delete dead;
  }
}

void Kernel::ForgetConnections(const Host& host) const {
  for (TcpSocket* one = first_socket; one != nullptr; one = one->next_socket_) {
    if (&one->host() == &host && !one->dead_ &&
        one->state_ != TcpState::kListen && one->state_ != TcpState::kClosed) {
      one->Forget();
    }
  }
  for (TimeWait* one = first_time_wait; one != nullptr;) {
    TimeWait* const next = one->next();
    if (&one->host() == &host) one->Kill();
    one = next;
  }
}

std::string Kernel::Dump() const {
  std::string text = absl::StrFormat("%-10s %6s %6s  %-28s %s\n", "State",
                                     "Recv-Q", "Send-Q", "Local", "Peer");
  for (const TcpSocket* one = first_socket; one != nullptr;
       one = one->next_socket_) {
    if (one->dead_) continue;
    const bool listens = one->state_ == TcpState::kListen;
    absl::StrAppend(
        &text,
        Row(one->state_,
            listens ? static_cast<size_t>(one->queued_) : one->receive_.ready(),
            listens ? static_cast<size_t>(one->backlog_)
                    : one->UnacknowledgedBytes(),
            ip::Endpoint{one->local_addr_, one->local_port_}.ToString(),
            one->remote_.port == 0 ? "*" : one->remote_.ToString()));
  }
  for (const TimeWait* one = first_time_wait; one != nullptr;
       one = one->next()) {
    absl::StrAppend(&text,
                    Row(one->state(), 0, 0, one->tuple().local.ToString(),
                        one->tuple().remote.ToString()));
  }
  return text;
}

}  // namespace net::fake
