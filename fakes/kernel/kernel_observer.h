#ifndef FAKES_KERNEL_KERNEL_OBSERVER_H_
#define FAKES_KERNEL_KERNEL_OBSERVER_H_

namespace net::fake {

class DescriptorTable;
class TcpSocket;

// Whether kernels call their observers: in debug builds, to check the machine's
// invariants.
#ifdef NDEBUG
inline constexpr bool kChecksInvariants = false;
#else
inline constexpr bool kChecksInvariants = true;
#endif

// Observes a kernel. Called with the kernel's mutex.
class KernelObserver {
 public:
  KernelObserver() = default;
  KernelObserver(const KernelObserver&) = delete;
  KernelObserver& operator=(const KernelObserver&) = delete;
  virtual ~KernelObserver() = default;

  // Called when a process was created. `descriptors` outlives all calls.
  virtual void OnProcess(const DescriptorTable& descriptors) = 0;
  // Called when a call begins, and when it ends. Calls may be nested or
  // concurrent.
  virtual void OnCall() = 0;
  virtual void OnReturn() = 0;
  // Called when a timer of the clock has fired.
  virtual void OnTimer() = 0;
  // Called before `socket` is freed. `next` follows it in the list of sockets.
  virtual void OnFree(const TcpSocket& socket, const TcpSocket* next) = 0;
  // Called when the kernel ends, before its processes exit.
  virtual void OnEnd() = 0;
};

}  // namespace net::fake

#endif  // FAKES_KERNEL_KERNEL_OBSERVER_H_
