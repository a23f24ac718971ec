#ifndef FAKES_DIFFERENTIAL_THREADS_THREADED_RUN_H_
#define FAKES_DIFFERENTIAL_THREADS_THREADED_RUN_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "fakes/call.h"
#include "fakes/differential/program.h"
#include "fakes/differential/threads/threaded_program.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"

namespace net::differential {

// The number of descriptors that programs need at most.
inline constexpr size_t kMostDescriptors = 24;

// The resources that a kernel gives to a program.
struct ThreadedWorld {
  Syscalls& sys;
  // The numbers of the kMostDescriptors lowest free descriptors, ascending. The
  // kernel chooses new descriptors in this order, so their indexes are equal on
  // all kernels.
  std::vector<int> numbers;
  std::array<uint16_t, kFixedPorts> fixed_ports;
};

// The part of a run that is the same for all kernels: makes the calls and
// writes their results as text.
//
// Thread-safety: RunThread() may run in several threads at the same time, each
// with another number. The other methods may be called only while no thread
// runs.
class ThreadedRun {
 public:
  // `program` must outlive this.
  ThreadedRun(const ThreadedProgram& program, ThreadedWorld world);

  // Makes the calls of the setup.
  void SetUp();

  // Returns the lowest descriptor number that the process may not open, because
  // of ThreadedProgram::free_descriptors. Requires that there is such a limit,
  // and SetUp().
  int DescriptorLimit() const;

  // Returns whether a call with this result was blocked for good.
  using IsOver = std::function<bool(Call, SysResult)>;
  // Makes the calls of a thread. If one was blocked for good, it is the
  // thread's last call.
  void RunThread(size_t thread, const IsOver& is_over);

  // Writes the state of all descriptors. Requires that no thread is blocked for
  // good.
  void Inspect();

  const ThreadedAnswer& answer() const { return answer_; }

 private:
  struct Made {
    SysResult result;
    std::string text;
  };

  int At(int slot) const;
  void Put(int slot, SysResult made);
  // Learns the port of a slot's socket.
  void NamePort(int slot);
  // Makes a call. `letter` is the data of send(2), repeated.
  Made Make(const Step& step, char letter, bool in_setup);
  Made MakeConnection(const Step& step, bool in_setup);
  Made MakePipe(const Step& step);
  // Calls splice(2) or sendfile(2).
  Made Move(const Step& step) const;
  Made Bind(const Step& step) const;
  Made Connect(const Step& step) const;
  Made Accept(const Step& step, bool in_setup);
  Made GetName(const Step& step) const;
  Made SetSockOpt(const Step& step) const;
  Made GetSockOpt(const Step& step) const;
  Made Send(const Step& step, char letter) const;
  Made Receive(const Step& step) const;
  Made Poll(const Step& step) const;
  Made InputSize(const Step& step) const;
  Made Descriptor(const Step& step, SysResult made);
  // Returns the flags of a call, without `nonblocking`, the flag against
  // blocking, if the program overfills buffers. See
  // ThreadedProgram::overfills_buffers().
  int FlagsOf(const Step& step, int nonblocking) const;
  static Made Plain(SysResult result);
  std::string DescriptorName(int fd) const;
  std::string PortName(uint16_t port) const;
  uint16_t PortOf(const Address& address) const;
  std::string DescribeDescriptor(int fd) const;

  const ThreadedProgram& program_;
  const bool overfills_;
  ThreadedWorld world_;
  std::array<int, kSlots> slots_;
  // The ports of the setup's sockets: by slot, and their names.
  std::array<uint16_t, kSlots> ports_ = {};
  std::map<uint16_t, std::string> port_names_;
  ThreadedAnswer answer_;
};

}  // namespace net::differential

#endif  // FAKES_DIFFERENTIAL_THREADS_THREADED_RUN_H_
