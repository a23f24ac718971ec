#ifndef FAKES_PRELOAD_TRANSIT_STORE_H_
#define FAKES_PRELOAD_TRANSIT_STORE_H_

#include <cstdint>
#include <deque>

#include "absl/base/thread_annotations.h"
#include "fakes/fake_kernel.h"
#include "fakes/fake_process.h"
#include "fakes/preload/machine.h"
#include "syscalls/mutex.h"

namespace net::preload {

// Where a FakeKernel keeps the files of Transit: in a process of their own.
// Thread-safe.
class TransitStore {
 public:
  // `kernel` must outlive this object.
  explicit TransitStore(FakeKernel& kernel) : kernel_(kernel) {}
  TransitStore(const TransitStore&) = delete;
  TransitStore& operator=(const TransitStore&) = delete;
  ~TransitStore() = default;

  // The functions of Transit, called by a process.
  int Hold(const FakeProcess& from, int fd, uint64_t inode);
  int Find(uint64_t inode);
  void Install(int held, FakeProcess& to, int fd, bool close_on_exec);
  void Discard(int held);

 private:
  struct Held {
    int number;
    uint64_t inode;
  };

  FakeProcess& process() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Remove(int held) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  FakeKernel& kernel_;
  // Held in KernelSections. May be held when the kernel's mutex is taken.
  Mutex mutex_;
  FakeProcess* process_ ABSL_GUARDED_BY(mutex_) = nullptr;
  std::deque<Held> held_ ABSL_GUARDED_BY(mutex_);
};

// The Transit of a process whose FakeKernel is in the same one. The arguments
// must outlive this object.
class LocalTransit final : public Transit {
 public:
  LocalTransit(TransitStore& store, FakeProcess& process)
      : store_(store), process_(process) {}

  Position PositionOf(int fd) override;
  int Hold(int fd, uint64_t inode) override {
    return store_.Hold(process_, fd, inode);
  }
  int Find(uint64_t inode) override { return store_.Find(inode); }
  void Install(int held, int fd, bool close_on_exec) override {
    store_.Install(held, process_, fd, close_on_exec);
  }
  void Discard(int held) override { store_.Discard(held); }

 private:
  TransitStore& store_;
  FakeProcess& process_;
};

}  // namespace net::preload

#endif  // FAKES_PRELOAD_TRANSIT_STORE_H_
