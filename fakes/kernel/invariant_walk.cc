#include "fakes/kernel/invariant_walk.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "fakes/kernel/clock.h"
#include "fakes/kernel/descriptor_table.h"
#include "fakes/kernel/file.h"
#include "fakes/kernel/kernel.h"
#include "fakes/kernel/ports/ports.h"
#include "fakes/kernel/scheduler.h"
#include "fakes/kernel/tcp/host.h"
#include "fakes/kernel/tcp/tcp_socket.h"
#include "fakes/kernel/tcp/time_wait.h"
#include "fakes/kernel/waiting.h"

namespace net::fake {
namespace {

// The most sockets, TIME-WAIT entries and segments of a part.
constexpr size_t kMostSockets = 64;
// Searching in tables takes longer than all other checks. Of every four parts
// therefore one checks the descriptors, one the totals, and two search the
// tables for one socket.
constexpr uint64_t kTurns = 4;
constexpr uint64_t kDescriptorsTurn = 0;
constexpr uint64_t kTotalsTurn = 2;
constexpr size_t kMostDescriptors = 256;

constexpr size_t kAll = ~size_t{0};

}  // namespace

// --- The walk ----------------------------------------------------------------

void InvariantWalk::WalkAll() {
  CheckNetwork(kAll);
  CheckSockets(kAll);
  for (const TcpSocket* one = kernel_.first_socket; one != nullptr;
       one = one->next_socket()) {
    CheckTablesOf(*one);
  }
  CheckTimeWaits(kAll);
  CheckTotals();
  CheckDescriptors();
}

const TcpSocket* InvariantWalk::WalkPart(const TcpSocket* next,
                                         uint64_t number) {
  CheckNetwork(kMostSockets);
  CheckSockets(kMostSockets);
  CheckTimeWaits(kMostSockets);
  const uint64_t turn = number % kTurns;
  if (turn == kDescriptorsTurn) CheckDescriptors();
  if (turn == kTotalsTurn && complete_) CheckTotals();
  if (next == nullptr) next = kernel_.first_socket;
  if (next == nullptr) return nullptr;
  if (!complete_) CheckSocket(*next);
  const bool searches = turn != kDescriptorsTurn && turn != kTotalsTurn;
  if (searches) CheckTablesOf(*next);
  return searches ? next->next_socket() : next;
}

void InvariantWalk::CheckSockets(size_t most) {
  for (const TcpSocket* one = kernel_.first_socket; one != nullptr;
       one = one->next_socket()) {
    if (most-- == 0) {
      complete_ = false;
      return;
    }
    CheckSocket(*one);
  }
}

void InvariantWalk::CheckTimeWaits(size_t most) {
  for (const TimeWait* one = kernel_.first_time_wait; one != nullptr;
       one = one->next()) {
    if (most-- == 0) {
      complete_ = false;
      return;
    }
    CheckTimeWait(*one);
  }
}

void InvariantWalk::CheckTimeWait(const TimeWait& entry) {
  ++counts_.connections;
  ++counts_.timers;
  Expect(entry.in_table() && entry.port() == entry.tuple().local.port,
         "An entry in TIME-WAIT has its connection's names and port.");
  Expect(entry.timer_ != Clock::kNone, "An entry in TIME-WAIT has a timer.");
  Expect(entry.next_ == nullptr || entry.next_->previous_ == &entry,
         "Neighbours in the list of TIME-WAIT entries know each other.");
  Expect(PortTable::Lists(entry), "The port of a TIME-WAIT entry lists it.");
}

bool InvariantWalk::IsHost(const Host* host) const {
  return std::any_of(kernel_.hosts.begin(), kernel_.hosts.end(),
                     [host](const Host& one) { return &one == host; });
}

void InvariantWalk::CheckNetwork(size_t most) {
  const Network& network = kernel_.network;
  Expect(network.count_ == 0 && !network.delivering_,
         "After a call, all segments have been delivered or are under way.");
  Expect(!network.timers_.any(),
         "After a call, all timers are set in the clock.");
  size_t count = 0;
  network.ForEachUnderWay(most, [&](const Segment& segment, bool has_timer) {
    ++count;
    Expect(IsHost(segment.host),
           "A segment that is under way comes from a host that exists.");
    Expect(has_timer, "A segment that is under way has a timer.");
  });
  counts_.timers += static_cast<int64_t>(count);
  if (count == most) complete_ = false;
}

void InvariantWalk::CheckTotals() {
  size_t ends = 0;
  size_t listeners = 0;
  for (const Host& host : kernel_.hosts) {
    ends += host.connections.size();
    for (const auto& [port, of_port] : host.listeners.by_port_) {
      listeners += of_port.size();
    }
  }
  Expect(ends == counts_.connections,
         "The tables of connections have no other ends than sockets and "
         "entries in TIME-WAIT.");
  Expect(listeners == counts_.listeners,
         "The tables of listeners have no other sockets than listeners.");
  Expect(counts_.queued == counts_.in_queue,
         "A connection that was not accepted is in its listener's queue.");
  Expect(counts_.half_open == counts_.are_half_open,
         "A listener counts its half-open connections.");
  for (const Wait* one : kernel_.scheduler.blocked_) {
    if (one->timer_ != Clock::kNone) ++counts_.timers;
  }
  counts_.timers += kernel_.set_timer_files;
  Expect(counts_.timers == static_cast<int64_t>(kernel_.clock.timers_.size()),
         "Each timer of the clock has an owner that lives.");
}

void InvariantWalk::CheckDescriptors() {
  files_.clear();
  for (const DescriptorTable* const table : processes_) {
    if (files_.size() + table->entries_.size() > kMostDescriptors) return;
    for (const DescriptorTable::Entry& entry : table->entries_) {
      if (entry.file != nullptr) files_.push_back(entry.file);
    }
  }
  std::sort(files_.begin(), files_.end());
  for (auto one = files_.begin(); one != files_.end();) {
    const auto end = std::find_if(
        one, files_.end(), [&](const File* file) { return file != *one; });
    Expect((*one)->references() >= end - one,
           "A file has a reference for each of its descriptors.");
    Expect(in_call_ || (*one)->references() == end - one,
           "A file has no reference but of its descriptors while no call uses "
           "it.");
    one = end;
  }
}

// --- The report --------------------------------------------------------------

void InvariantWalk::Note(absl::string_view invariant) {
  invariant_ = invariant;
  if (socket_ == nullptr) return;
  where_ = absl::StrCat(socket_->Describe(), "\n", Numbers(*socket_));
}

std::string InvariantWalk::Numbers(const TcpSocket& socket) const {
  const SendSide& send = socket.send_;
  const ReceiveSide& receive = socket.receive_;
  std::string text = absl::StrCat(
      "  sends: SND.UNA ", send.una_, ", SND.NXT ", send.nxt_, ", highest ",
      send.max_, ", written ", send.written_, send.fin_ ? " and a FIN" : "",
      ", window to ", send.window_end_, "\n  receives: RCV.NXT ", receive.nxt_,
      ", acknowledged ", socket.acknowledged_, ", unread ", receive.ready_,
      ", in the queue ", receive.queue_.size(),
      receive.fin_received_ ? ", FIN received" : "", "\n  timers:");
  static constexpr const char* kNames[] = {"retransmission", "delayed ACK",
                                           "keepalive"};
  for (size_t i = 0; i < std::size(kNames); ++i) {
    const Nanoseconds due = socket.timers_.due_[i];
    if (due != kForever) absl::StrAppend(&text, " ", kNames[i], " at ", due);
  }
  absl::StrAppend(&text, " (now: ", kernel_.clock.now(), " ns)\n  references ",
                  socket.references(), ", accept queue ", socket.queued_,
                  " of ", socket.backlog_, ", half open ", socket.half_open_,
                  "\n");
  if (socket.peer() != nullptr) {
    absl::StrAppend(&text, "  peer: SND.UNA ", socket.peer()->send_.una_,
                    ", highest ", socket.peer()->send_.max_, ", written ",
                    socket.peer()->send_.written_, "\n");
  }
  return text;
}

std::string InvariantWalk::Report() const {
  if (!found()) return "";
  return absl::StrCat(
      "An invariant of its state is violated:\n  ", invariant_, "\n",
      where_.empty() ? "" : "Socket: ", where_, "The last calls:\n",
      kernel_.scheduler.calls().ToString(), "All sockets:\n", kernel_.Dump(),
      "This is a bug of the FakeKernel, not of the program. Please report it "
      "with this text and, if you can, the trace of the calls "
      "(fakes/tracing_syscalls.h).\n");
}

}  // namespace net::fake
