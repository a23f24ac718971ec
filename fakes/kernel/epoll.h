#ifndef FAKES_KERNEL_EPOLL_H_
#define FAKES_KERNEL_EPOLL_H_

#include <sys/epoll.h>
#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/types/span.h"
#include "fakes/kernel/clock.h"
#include "fakes/kernel/file.h"
#include "fakes/kernel/wait_queue.h"
#include "syscalls/sys_result.h"

namespace net::fake {

struct Kernel;

// The file of an epoll(7): fs/eventpoll.c of Linux.
//
// An entry of the interest list is a watcher of its file's wait queue. A
// wake-up of that queue, and nothing else, puts the entry at the end of the
// ready list: with EPOLLET, an entry is therefore reported once for each
// wake-up that it was waiting for, whether or not the file's state has changed.
// epoll_wait(2) polls the entries of the ready list in their order, reports
// those that are ready, and drops the others. It puts a level-triggered entry
// that it has reported at the end again.
//
// An epoll with 10,000 idle files costs no more than one with 10, because
// epoll_wait(2) polls only the ready list.
class Epoll final : public File {
 public:
  explicit Epoll(Kernel& kernel);
  Epoll(const Epoll&) = delete;
  Epoll& operator=(const Epoll&) = delete;

  // Implements epoll_ctl(2). Requires that `file` has_poll() and is not this
  // epoll. EPOLL_CTL_DEL does not use `event`.
  SysResult Control(int operation, File& file, int fd,
                    const epoll_event& event);
  // Implements epoll_wait(2). `events` is the program's pointer and may be
  // invalid.
  SysResult Await(const Caller& caller, epoll_event* events, int max_events,
                  Nanoseconds timeout);

  int16_t PollEvents() override;
  bool has_read() const override { return false; }
  bool has_write() const override { return false; }
  SysResult Read(const Caller& caller, absl::Span<const iovec> parts) override;
  SysResult Write(const Caller& caller, absl::Span<const iovec> parts) override;
  SysResult Ioctl(uint64_t request, int* value) override;
  std::string Describe() const override;
  Epoll* AsEpoll() override { return this; }

 protected:
  void OnLastClose(const Caller& caller) override;

 private:
  class Entry;

  // An open file description, and the descriptor's number with which it was
  // added. The key stays the same if that descriptor is closed.
  using Key = std::pair<File*, int>;

  ~Epoll() override;

  SysResult Add(File& file, int fd, const epoll_event& event);
  SysResult Modify(Entry& entry, const epoll_event& event);
  void Remove(Entry& entry);

  // Returns whether adding another epoll would make a cycle or too many levels
  // (ELOOP).
  bool WouldLoop(Epoll& added);
  // Returns how many levels of epolls are below this one. Stops at `forbidden`,
  // and then returns more than the allowed number.
  int LevelsBelow(const Epoll& forbidden, int depth);
  // Returns how many levels of epolls are above this one.
  int LevelsAbove() const;

  // Puts an entry at the end of the ready list, if it is not in the list.
  void AppendReady(Entry& entry);
  void RemoveReady(Entry& entry);
  // Appends an entry whose file is ready, and wakes a call that waits.
  void NoteReady(Entry& entry);
  // Wakes another epoll_wait(2) if entries are left in the ready list.
  void EndScan();
  SysResult Report(epoll_event* events, int max_events);

  Kernel& kernel_;
  absl::flat_hash_map<Key, std::unique_ptr<Entry>> entries_;
  Entry* first_ready_ = nullptr;
  Entry* last_ready_ = nullptr;
  WaitQueue callers_;  // epoll_wait(2). waiters(): poll(2), epolls.
  std::vector<Epoll*> containers_;  // The epolls that this one is added to.
};

}  // namespace net::fake

#endif  // FAKES_KERNEL_EPOLL_H_
