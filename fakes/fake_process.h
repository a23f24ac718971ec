#ifndef FAKES_FAKE_PROCESS_H_
#define FAKES_FAKE_PROCESS_H_

#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/types.h>

#include <csignal>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"

namespace net {

namespace fake {
struct Kernel;
class DescriptorTable;
class File;
class Socket;
struct Caller;
}  // namespace fake

class FakeKernel;

// What a process may do (capabilities(7)).
struct FakeCapabilities {
  bool net_bind_service = false;  // ports below ip_unprivileged_port_start
  bool net_admin = false;         // the options of socket(7) that want it
  bool sys_admin = false;         // files beyond fs.file-max

  static FakeCapabilities All() { return {true, true, true}; }
};

struct FakeProcessOptions {
  std::string name = "process";  // for reports
  uid_t uid = 1000;
  FakeCapabilities capabilities;
  int nofile_limit = 1024;  // RLIMIT_NOFILE: descriptors are below it
  // Whether a SIGPIPE is not only counted, but raised in the thread that makes
  // the call, where its action is that of the real process. A handler must not
  // make calls of the FakeKernel.
  bool raises_sigpipe = false;
};

// A process of a FakeKernel: its Syscalls, with descriptors of its own.
//
// Each call does what section 2 of Linux's manual says, with Linux's errnos in
// Linux's order of checks, for TCP sockets, pipes and eventfds, and poll(2)
// over them. Calls that wait do so in virtual time: see FakeKernel. EDEADLK is
// the one answer that Linux does not have: nothing can happen any more.
//
// Not there: epoll (ENOSYS), urgent data (MSG_OOB: EOPNOTSUPP), sockets of
// other kinds than TCP, of which Unix and UDP sockets exist, to be bound,
// listened on, connected and told from TCP ones, but carry nothing. Pointers
// that are null, or outside of user space, are EFAULT; a pointer that merely
// dangles crashes the program, as it would anywhere in a library.
//
// Belongs to its kernel, which outlives every Socket that uses it.
// Thread-safety: as of Syscalls.
class FakeProcess final : public Syscalls {
 public:
  FakeProcess(const FakeProcess&) = delete;
  FakeProcess& operator=(const FakeProcess&) = delete;
  ~FakeProcess() override;

  const std::string& name() const { return name_; }

  // fork(2): another process with the same open files.
  FakeProcess& Fork(absl::string_view name);
  // execve(2): closes what is close-on-exec.
  void Exec();
  // _exit(2): closes everything, without waiting (SO_LINGER).
  void Exit();

  // The open descriptors, in order; and what one is, for people: "TCP socket
  // 127.0.0.1:80, LISTEN".
  std::vector<int> OpenDescriptors() const;
  std::string DescribeDescriptor(int fd) const;

  // setrlimit(2) of RLIMIT_NOFILE. Open descriptors beyond stay usable.
  void set_nofile_limit(int limit);
  int nofile_limit() const;
  // seteuid(2), capset(2). Sockets keep the user that made them.
  void set_uid(uid_t uid);
  void set_capabilities(const FakeCapabilities& capabilities);
  FakeCapabilities capabilities() const;

  // How many SIGPIPEs the process has got.
  int sigpipes() const;

  SysResult Socket(int domain, int type, int protocol) override;
  SysResult Bind(int fd, const sockaddr* addr, socklen_t len) override;
  SysResult Listen(int fd, int backlog) override;
  SysResult Accept4(int fd, sockaddr* addr, socklen_t* len, int flags) override;
  SysResult Connect(int fd, const sockaddr* addr, socklen_t len) override;
  SysResult GetSockName(int fd, sockaddr* addr, socklen_t* len) override;
  SysResult GetPeerName(int fd, sockaddr* addr, socklen_t* len) override;
  SysResult SetSockOpt(int fd, int level, int name, const void* value,
                       socklen_t len) override;
  SysResult GetSockOpt(int fd, int level, int name, void* value,
                       socklen_t* len) override;
  SysResult Shutdown(int fd, int how) override;

  SysResult Send(int fd, const void* data, size_t size, int flags) override;
  SysResult Recv(int fd, void* data, size_t size, int flags) override;
  SysResult SendMsg(int fd, const msghdr* message, int flags) override;
  SysResult RecvMsg(int fd, msghdr* message, int flags) override;
  SysResult Read(int fd, void* data, size_t size) override;
  SysResult Write(int fd, const void* data, size_t size) override;

  SysResult Poll(pollfd* fds, nfds_t count, int timeout_ms) override;
  SysResult PPoll(pollfd* fds, nfds_t count, const timespec* timeout,
                  const sigset_t* signals) override;

  SysResult Close(int fd) override;
  SysResult Fcntl(int fd, int command, intptr_t argument) override;
  SysResult Ioctl(int fd, uint64_t request, intptr_t argument) override;
  SysResult Dup(int fd) override;
  SysResult Dup3(int old_fd, int new_fd, int flags) override;
  SysResult Pipe2(int fds[2], int flags) override;
  SysResult EventFd(unsigned int initial, int flags) override;

  SysResult ClockGetTime(clockid_t clock, timespec* time) override;
  SysResult NanoSleep(const timespec* duration, timespec* remaining) override;

 private:
  friend class FakeKernel;

  FakeProcess(FakeKernel& owner, fake::Kernel& kernel,
              const FakeProcessOptions& options);

  fake::Caller MakeCaller(absl::string_view call, int fd);
  // The socket of a descriptor; null and an error: EBADF, ENOTSOCK.
  fake::Socket* FindSocket(int fd, SysResult* error) const;
  // A descriptor for a new file, which is freed if there is none: EMFILE,
  // ENFILE.
  SysResult Install(fake::File& file, bool close_on_exec);
  // poll(2) that waits so long, in ns.
  SysResult DoPoll(pollfd* fds, nfds_t count, int64_t patience,
                   absl::string_view call);
  SysResult Duplicate(int fd, int lowest, bool close_on_exec);
  void CloseAll(bool only_close_on_exec);

  FakeKernel& owner_;
  fake::Kernel& kernel_;
  const std::string name_;
  uid_t uid_;
  FakeCapabilities capabilities_;
  int sigpipes_ = 0;
  const bool raises_sigpipe_;
  const std::unique_ptr<fake::DescriptorTable> descriptors_;
};

}  // namespace net

#endif  // FAKES_FAKE_PROCESS_H_
