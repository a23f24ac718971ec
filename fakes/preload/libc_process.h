#ifndef FAKES_PRELOAD_LIBC_PROCESS_H_
#define FAKES_PRELOAD_LIBC_PROCESS_H_

#include "fakes/fake_kernel.h"
#include "fakes/fake_process.h"
#include "fakes/preload/kernel_machine.h"
#include "fakes/preload/placeholders.h"
#include "fakes/preload/world.h"
#include "syscalls/syscalls.h"

// Compiles code that calls the C library, such as a server whose sources know
// nothing of this project, into a test that runs it on a FakeKernel.
//
//   cc_test(
//       name = "server_test",
//       deps = [":server", "@net_tcp//fakes:libc_process"],
//   )
//
// The target defines the C library's functions in the test's program: those
// that make system calls, as //fakes:on_fake_kernel does, pipe(2), and those of
// //fakes:thread_hooks. They replace the C library's in the program and in all
// its libraries. In a LibcProcess::Scope they make calls of a FakeKernel. All
// other calls go to the C library.

namespace net {

// A process of a FakeKernel whose calls are made by functions of the C library.
//
//   FakeKernel kernel;
//   LibcProcess server(kernel, {.name = "server"});
//   FaultInjector faults(server.syscalls());
//   faults.Arm(*ParseFaultPlan("accept4#1=EMFILE"));
//   const FakeKernel::Participant self(kernel);
//   const LibcProcess::Scope in_server(server, faults);
//   const int listener = socket(AF_INET, SOCK_STREAM, 0);
//
// - TCP sockets, epolls, eventfds, timerfds, pipes, and pairs of Unix sockets
//   that are made in a scope belong to the process. Other files are Linux's.
// - A descriptor of the process must only be used in a scope of the process:
//   another process gets EBADF, and Linux has a placeholder of that number,
//   which carries no data (fakes/preload/placeholders.h). RLIMIT_NOFILE is that
//   of the test.
// - Each call takes a microsecond of virtual time.
// - fork(2) is not modelled: a child must not use the process's descriptors.
// - docs/PROGRAMS.md lists what belongs to the FakeKernel, and the limits.
//
// Thread-safety: any method may be called from any thread.
class LibcProcess {
 public:
  // `kernel` must outlive the process. FakeProcessOptions::nofile_limit and
  // lowest_descriptor have no effect.
  explicit LibcProcess(FakeKernel& kernel,
                       const FakeProcessOptions& options = {});
  LibcProcess(const LibcProcess&) = delete;
  LibcProcess& operator=(const LibcProcess&) = delete;
  // Closes all descriptors (_exit(2)). No thread may be in a scope.
  ~LibcProcess();

  // The process's calls, with the descriptors of the functions of the C
  // library.
  Syscalls& syscalls() { return placeholders_; }
  const FakeProcess& process() const { return process_; }

  // Makes the calling thread a thread of the process, from construction to
  // destruction.
  //
  // The thread must take part in the kernel (FakeKernel::Participant, Thread).
  // Scopes may be nested: the innermost one counts. Threads that are created in
  // a scope by pthread_create(3), and so by std::thread, take part in the
  // kernel and are threads of the process until they end.
  //
  // Destroy the object in the same thread.
  class Scope {
   public:
    explicit Scope(LibcProcess& process) : Scope(process, process.syscalls()) {}
    // `front` stands in front of LibcProcess::syscalls(), as a FaultInjector or
    // TracingSyscalls does. It must outlive the scope and the threads that are
    // created in it.
    Scope(LibcProcess& process, Syscalls& front);
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;
    ~Scope() = default;

   private:
    const preload::World world_;
    const preload::ThreadWorld of_thread_;
  };

 private:
  FakeProcess& process_;
  preload::KernelMachine machine_;
  preload::Placeholders placeholders_;
};

}  // namespace net

#endif  // FAKES_PRELOAD_LIBC_PROCESS_H_
