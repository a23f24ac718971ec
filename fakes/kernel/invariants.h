#ifndef FAKES_KERNEL_INVARIANTS_H_
#define FAKES_KERNEL_INVARIANTS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "fakes/kernel/kernel_observer.h"

namespace net::fake {

class File;
struct Kernel;

// Checks that the machine's state is consistent:
// - Each byte that was written has been read, waits for its reader, or is on
//   its way. Sequence numbers are in order (RFC 9293, section 3.4).
// - A socket's state, queues, port, tables and timers fit each other.
// - No two listeners share an address and a port where Linux forbids it
//   (socket(7), SO_REUSEPORT).
// - Each timer of the clock, and each segment, has an owner that exists.
// - The number of references to a file is the number of descriptors and calls
//   that use it.
//
// A violation is a bug of the FakeKernel, never of the program. It ends the
// process with a report.
//
// A check walks the whole machine if that is small. On a large machine it
// checks the newest sockets and, in turns, a part of the others, so that the
// cost of a check is bounded. Guarded by the kernel's mutex.
class Invariants final : public KernelObserver {
 public:
  explicit Invariants(const Kernel& kernel) : kernel_(kernel) {}

  // Returns the report of the first violated invariant of the whole machine, or
  // an empty text.
  std::string FindViolation() const;

  void OnProcess(const DescriptorTable& descriptors) override {
    descriptors_.push_back(&descriptors);
  }
  void OnCall() override { ++calls_; }
  void OnReturn() override {
    --calls_;
    Check();
  }
  void OnTimer() override { Check(); }
  void OnFree(const TcpSocket& socket, const TcpSocket* next) override {
    if (next_socket_ == &socket) next_socket_ = next;
  }
  void OnEnd() override;

 private:
  // Checks the machine or a part of it. Ends the process if an invariant is
  // violated.
  void Check();

  const Kernel& kernel_;
  std::vector<const DescriptorTable*> descriptors_;
  std::vector<const File*> files_;          // Scratch memory.
  int calls_ = 0;                           // Under way.
  uint64_t checks_ = 0;                     // So far.
  const TcpSocket* next_socket_ = nullptr;  // Where the next check goes on.
};

}  // namespace net::fake

#endif  // FAKES_KERNEL_INVARIANTS_H_
