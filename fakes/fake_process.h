#ifndef FAKES_FAKE_PROCESS_H_
#define FAKES_FAKE_PROCESS_H_

#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/uio.h>

#include <csignal>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "fakes/call.h"
#include "fakes/kernel/race_detector.h"
#include "syscalls/complete_syscalls.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscall_table.h"

namespace net {

namespace fake {
class ControlMessages;
class DescriptorTable;
class File;
class Socket;
class TimerFile;
enum class OptionKind : uint8_t;
struct Caller;
struct Host;
struct Kernel;
}  // namespace fake

class FakeHost;
class FakeKernel;

// Capabilities of a process (capabilities(7)).
struct FakeCapabilities {
  bool net_bind_service = false;  // Bind to ports below
                                  // net.ipv4.ip_unprivileged_port_start.
  bool net_admin = false;  // Set the options of socket(7) that require it.
  bool sys_admin = false;  // Open files beyond fs.file-max.

  static FakeCapabilities All() { return {true, true, true}; }
};

struct FakeProcessOptions {
  std::string name = "process";  // Appears in reports.
  uid_t uid = 1000;
  FakeCapabilities capabilities;
  int nofile_limit = 1024;  // RLIMIT_NOFILE. Descriptors are below it.
  // The number at which the search for a new descriptor's number begins. 0 on
  // Linux.
  int lowest_descriptor = 0;
  // If true, the process starts with the descriptors 0, 1 and 2, as most
  // processes do. They refer to /dev/null, opened for reading and writing, as
  // after daemon(3). New descriptors then begin at 3. If false, they begin at
  // 0.
  bool standard_descriptors = true;
  // If false, SIGPIPEs are only counted (sigpipes()). If true, a SIGPIPE is
  // also raised in the calling thread, with the real process's signal action. A
  // handler must not make calls of the FakeKernel.
  bool raises_sigpipe = false;
  // The machine on which the process runs; null: the first machine.
  FakeHost* host = nullptr;
};

// A process of a FakeKernel: a Syscalls with its own descriptors.
//
// Each call behaves as section 2 of the Linux manual describes, with Linux's
// errnos and in Linux's order of checks, for TCP sockets, pipes, eventfds,
// timerfds and /dev/null, and for poll(2), select(2) and epoll(7) on them.
// Calls block in virtual time (see FakeKernel). EDEADLK is the only errno that
// Linux does not return here: no event is left that could end the call.
//
// Not modelled:
// - fs.epoll.max_user_watches (ENOSPC), and Linux's limit on the number of
//   paths by which a file can wake nested epolls (EINVAL).
// - Timerfds of CLOCK_REALTIME_ALARM and CLOCK_BOOTTIME_ALARM: EPERM.
// - Urgent data: MSG_OOB fails with EOPNOTSUPP.
// - Regular files: sendfile(2) can only read sockets, into a pipe. (The preload
//   library sends files of Linux: fakes/preload.)
// - Sockets other than TCP. Unix and UDP sockets can be created, bound,
//   listened on and connected, and differ from TCP sockets as on Linux, but
//   carry no data.
//
// Pointers that are null or outside of user space fail with EFAULT. Any other
// invalid pointer crashes the program, as in a library.
//
// The kernel owns its processes and must outlive every Socket that uses one.
// Thread-safety: see Syscalls.
class FakeProcess final : public CompleteSyscalls {
 public:
  FakeProcess(const FakeProcess&) = delete;
  FakeProcess& operator=(const FakeProcess&) = delete;
  ~FakeProcess() override;

  const std::string& name() const { return name_; }

  // Creates another process with the same open files (fork(2)). The kernel owns
  // it.
  FakeProcess& Fork(absl::string_view name);
  // Opens the file of a descriptor of another process of the same kernel, as
  // pidfd_getfd(2) and SCM_RIGHTS (unix(7)) do: at `number`, or at the lowest
  // free one if that is negative. Fails with EBADF or EMFILE.
  SysResult DuplicateFrom(const FakeProcess& other, int fd, int number,
                          bool close_on_exec);

  // How many bytes the process and those with the same open file have written
  // to a TCP socket, and read from it.
  struct StreamPosition {
    uint64_t written = 0;
    uint64_t read = 0;
  };
  // Returns the position of a socket that has a connection; of other
  // descriptors, 0.
  StreamPosition PositionOf(int fd) const;

  // Closes all descriptors that are close-on-exec (execve(2)).
  void Exec();
  // Closes all descriptors without blocking, even with SO_LINGER (_exit(2)).
  void Exit();

  // Returns the open descriptors in ascending order, except the standard
  // descriptors that the process started with. It is empty after a program has
  // closed all that it has opened. Descriptors that replace a standard one, or
  // duplicate it, are listed.
  std::vector<int> OpenDescriptors() const;
  // Returns all open descriptors in ascending order, as /proc/PID/fd lists
  // them (proc(5)).
  std::vector<int> AllDescriptors() const;
  // Returns a description of a descriptor for people, for example "TCP socket
  // 127.0.0.1:80, LISTEN" or "not open".
  std::string DescribeDescriptor(int fd) const;

  // Sets RLIMIT_NOFILE (setrlimit(2)). Open descriptors at or above it stay
  // usable.
  void set_nofile_limit(int limit);
  int nofile_limit() const;
  // Set the effective user ID (seteuid(2)) and the capabilities (capset(2)). A
  // socket keeps the user ID of its creation.
  void set_uid(uid_t uid);
  void set_capabilities(const FakeCapabilities& capabilities);
  FakeCapabilities capabilities() const;

  // Returns the number of SIGPIPEs that the process has received.
  int sigpipes() const;

// Every method of Syscalls.
#define NET_SYSCALL(method, name, result, ...) \
  SysResult method(NET_SYSCALL_PARAMETERS(__VA_ARGS__)) override;
#include "syscalls/syscall_table.inc"

 private:
  friend class FakeKernel;

  class StrictReports;

  // Called with the kernel's mutex.
  FakeProcess(FakeKernel& owner, fake::Kernel& kernel, fake::Host& host,
              const FakeProcessOptions& options);

// Implement the calls. Called with the kernel's mutex.
#define NET_SYSCALL(method, name, result, ...) \
  SysResult Do##method(NET_SYSCALL_PARAMETERS(__VA_ARGS__));
#include "syscalls/syscall_table.inc"

  // Implement the usual case of a call that moves bytes (fake_process_quick.h).
  // In any other case they return ENOSYS, and have no effect.
  template <Call kCall, typename... Arguments>
  SysResult Quickly(Arguments... arguments);
  SysResult SendQuickly(int fd, const void* data, size_t size, int flags);
  SysResult RecvQuickly(int fd, void* data, size_t size, int flags);

  // Show ThreadSanitizer that a call passes data to another thread, or received
  // data from one, as on Linux.
#ifdef NET_FAKE_THREAD_SANITIZER
  void ShowBefore(Call call, int fd) const;
  void ShowAfter(Call call, int fd, SysResult result) const;
#else
  void ShowBefore(Call /*call*/, int /*fd*/) const {}
  void ShowAfter(Call /*call*/, int /*fd*/, SysResult /*result*/) const {}
#endif

  fake::Caller MakeCaller(absl::string_view call, int fd);
  // Returns the socket of a descriptor. If there is none, returns null and sets
  // `error` to EBADF or ENOTSOCK.
  fake::Socket* FindSocket(int fd, SysResult* error) const;
  // Returns a new descriptor for a new file. Fails with EMFILE or ENFILE and
  // then frees the file.
  SysResult Install(fake::File& file, bool close_on_exec);
  // Returns whether a new file would exceed fs.file-max (ENFILE).
  bool IsFileTableFull() const;
  // Implements accept4(2).
  SysResult AcceptFrom(int fd, sockaddr* addr, socklen_t* len, int flags,
                       absl::string_view call);
  // Accepts a connection and gives it the reserved descriptor `number`.
  SysResult AcceptInto(int number, const fake::Caller& caller, fake::File& file,
                       sockaddr* addr, socklen_t* len, int flags);

  // Return the file of a descriptor that can be read, or written. If there is
  // none, return null and set `error` to EBADF or EINVAL.
  fake::File* FindReadable(int fd, SysResult* error) const;
  fake::File* FindWritable(int fd, SysResult* error) const;
  // Implement sendto(2) and recvfrom(2), and one message of sendmsg(2) and
  // recvmsg(2). SendMessage() sets `size` to the number of bytes to be sent.
  SysResult SendBytes(int fd, const void* data, size_t size, int flags,
                      const sockaddr* addr, socklen_t len,
                      absl::string_view call);
  SysResult ReceiveBytes(int fd, void* data, size_t size, int flags,
                         sockaddr* addr, socklen_t* len,
                         absl::string_view call);
  SysResult SendMessage(fake::Socket& socket, const fake::Caller& caller,
                        const msghdr* message, int flags, size_t* size);
  static SysResult ReceiveMessage(fake::Socket& socket,
                                  const fake::Caller& caller, msghdr* message,
                                  int flags);

  // Implements poll(2), with a timeout in nanoseconds.
  SysResult PollFor(pollfd* fds, nfds_t count, int64_t timeout,
                    absl::string_view call);
  // Waits until an event of an entry holds. `unasked` are events that each
  // entry waits for, too.
  SysResult AwaitEvents(absl::Span<pollfd> entries, int unasked,
                        int64_t timeout, absl::string_view call);
  // Implements select(2), with a timeout in nanoseconds.
  SysResult SelectFor(int count, fd_set* readable, fd_set* writable,
                      fd_set* exceptional, int64_t timeout,
                      absl::string_view call);
  // Returns the file of a timerfd. If there is none, returns null and sets
  // `error` to EBADF or EINVAL.
  fake::TimerFile* FindTimer(int fd, SysResult* error) const;
  // Implements epoll_wait(2), with a timeout in nanoseconds.
  SysResult EpollWaitFor(int epoll_fd, epoll_event* events, int max_events,
                         int64_t timeout, absl::string_view call);
  SysResult Duplicate(int fd, int lowest, bool close_on_exec);
  // Implement fcntl(2) and ioctl(2), F_DUPFD_QUERY, and the requests of
  // ioctl(2) that only sockets have. SocketIoctl() returns nullopt for others.
  SysResult Control(fake::File& file, int fd, int command, intptr_t argument);
  SysResult ControlDevice(fake::File& file, int fd, uint64_t request,
                          intptr_t argument);
  SysResult IsSameFile(int fd, int other) const;
  std::optional<SysResult> SocketIoctl(fake::Socket& socket, uint64_t request,
                                       void* argument) const;
  void CloseAll(bool only_close_on_exec);

  // Notes the use of an option that has no effect, if options are strict
  // (FakeKernel::StrictOptions()).
  bool has_strict_options() const;
  void NoteOption(fake::OptionKind kind, int level, int64_t name,
                  uint32_t value, absl::string_view call, int fd);
  // Notes the signal mask of a call, unless it is null.
  void NoteMask(const sigset_t* mask, absl::string_view call);
  // Note the uses in a call that has succeeded.
  void NoteFcntl(int fd, int command, intptr_t argument, int flags_before);
  void NoteIoctl(int fd, uint64_t request);
  void NoteMessage(int fd, int flags, absl::string_view call);
  void NoteControl(int fd, const fake::ControlMessages& messages);

  FakeKernel& owner_;
  fake::Kernel& kernel_;
  fake::Host& host_;
  const std::string name_;
  uid_t uid_;
  FakeCapabilities capabilities_;
  int sigpipes_ = 0;
  const bool raises_sigpipe_;
  const std::unique_ptr<fake::DescriptorTable> descriptors_;
};

}  // namespace net

#endif  // FAKES_FAKE_PROCESS_H_
