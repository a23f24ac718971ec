#include "fakes/faults/descriptor_table.h"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <vector>

#include "fakes/faults/fault_plan.h"
#include "fakes/faults/plan_state.h"

namespace net {

DescriptorKind DescriptorTable::SlowKindOf(int fd) const {
  if (fd < 0) return DescriptorKind::kForeign;
  const auto index = static_cast<size_t>(fd);
  return index < entries_.size() ? entries_[index].kind
                                 : DescriptorKind::kUnknown;
}

void DescriptorTable::Arm() {
  for (Entry& entry : entries_) entry.since_arm = false;
  for (SharedFacts& shared : facts_) shared.facts.nth = 0;
  sockets_ = 0;
}

DescriptorTable::Entry& DescriptorTable::EntryOf(int fd) {
  const auto index = static_cast<size_t>(fd);
  if (index >= entries_.size()) entries_.resize(index + 1);
  return entries_[index];
}

void DescriptorTable::SetKind(int fd, DescriptorKind kind) {
  EntryOf(fd).kind = kind;
  if (fd < kFastNumbers) {
    kinds_[static_cast<size_t>(fd)].store(kind, std::memory_order_relaxed);
  }
}

void DescriptorTable::Put(int fd, DescriptorKind kind, bool since_arm) {
  Remove(fd);
  SetKind(fd, kind);
  EntryOf(fd).since_arm = since_arm;
}

void DescriptorTable::PutTcp(int fd, const SocketFacts& facts, bool since_arm) {
  Put(fd, DescriptorKind::kTcp, since_arm);
  size_t index = facts_.size();
  if (free_facts_.empty()) {
    facts_.emplace_back();
  } else {
    index = free_facts_.back();
    free_facts_.pop_back();
  }
  facts_[index].facts = facts;
  facts_[index].descriptors = 1;
  EntryOf(fd).facts = index;
}

void DescriptorTable::AddTcp(int fd, SocketRole role) {
  SocketFacts facts;
  facts.role = role;
  facts.nth = ++sockets_;
  PutTcp(fd, facts, true);
}

void DescriptorTable::LearnTcp(int fd, const SocketFacts& facts) {
  PutTcp(fd, facts, false);
}

void DescriptorTable::Add(int fd, DescriptorKind kind) { Put(fd, kind, true); }

void DescriptorTable::Learn(int fd, DescriptorKind kind) {
  Put(fd, kind, false);
}

void DescriptorTable::AddDuplicate(int old_fd, int new_fd) {
  if (old_fd == new_fd) return;
  const DescriptorKind kind = SlowKindOf(old_fd);
  Put(new_fd, kind, true);
  if (kind != DescriptorKind::kTcp) return;
  const size_t facts = EntryOf(old_fd).facts;
  ++facts_[facts].descriptors;
  EntryOf(new_fd).facts = facts;
}

void DescriptorTable::Remove(int fd) {
  // A number that was never seen: the table does not grow for a wrong one.
  if (static_cast<size_t>(fd) >= entries_.size()) return;
  Entry& entry = EntryOf(fd);
  if (entry.kind == DescriptorKind::kTcp) {
    SharedFacts& shared = facts_[entry.facts];
    if (--shared.descriptors == 0) free_facts_.push_back(entry.facts);
  }
  SetKind(fd, DescriptorKind::kClosed);
  if (epoll_members_.empty()) return;
  // The kernel removes a closed descriptor from its epolls.
  const std::vector<EpollMember> before = epoll_members_;
  const auto is_gone = [fd](const EpollMember& member) {
    return member.fd == fd || member.epoll_fd == fd;
  };
  epoll_members_.erase(
      std::remove_if(epoll_members_.begin(), epoll_members_.end(), is_gone),
      epoll_members_.end());
  for (const EpollMember& member : before) {
    if (member.fd == fd) UpdateEpoll(member.epoll_fd);
  }
}

SocketFacts* DescriptorTable::FactsOf(int fd) {
  if (SlowKindOf(fd) != DescriptorKind::kTcp) return nullptr;
  return &facts_[EntryOf(fd).facts].facts;
}

void DescriptorTable::AddToEpoll(int epoll_fd, int fd) {
  if (SlowKindOf(fd) != DescriptorKind::kTcp) return;
  epoll_members_.push_back({epoll_fd, fd});
  UpdateEpoll(epoll_fd);
}

void DescriptorTable::RemoveFromEpoll(int epoll_fd, int fd) {
  const auto is_removed = [&](const EpollMember& member) {
    return member.fd == fd && member.epoll_fd == epoll_fd;
  };
  epoll_members_.erase(
      std::remove_if(epoll_members_.begin(), epoll_members_.end(), is_removed),
      epoll_members_.end());
  UpdateEpoll(epoll_fd);
}

void DescriptorTable::UpdateEpoll(int epoll_fd) {
  const DescriptorKind kind = SlowKindOf(epoll_fd);
  if (kind != DescriptorKind::kEpoll && kind != DescriptorKind::kEpollOfTcp) {
    return;
  }
  const bool waits_for_tcp =
      std::any_of(epoll_members_.begin(), epoll_members_.end(),
                  [epoll_fd](const EpollMember& member) {
                    return member.epoll_fd == epoll_fd;
                  });
  SetKind(epoll_fd,
          waits_for_tcp ? DescriptorKind::kEpollOfTcp : DescriptorKind::kEpoll);
}

void DescriptorTable::AppendEpollMembers(int epoll_fd,
                                         DescriptorList& fds) const {
  for (const EpollMember& member : epoll_members_) {
    if (member.epoll_fd == epoll_fd) fds.push_back(member.fd);
  }
}

std::vector<int> DescriptorTable::OpenSinceArm() const {
  std::vector<int> open;
  for (size_t i = 0; i < entries_.size(); ++i) {
    const Entry& entry = entries_[i];
    const bool is_open = entry.kind != DescriptorKind::kUnknown &&
                         entry.kind != DescriptorKind::kClosed &&
                         entry.kind != DescriptorKind::kForeign;
    if (is_open && entry.since_arm) open.push_back(static_cast<int>(i));
  }
  return open;
}

}  // namespace net
