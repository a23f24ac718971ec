#ifndef FAKES_KERNEL_OPTIONS_OPTIONS_SUBJECTS_H_
#define FAKES_KERNEL_OPTIONS_OPTIONS_SUBJECTS_H_

#include <sys/socket.h>

#include <cstdint>
#include <ostream>
#include <string>

#include "absl/strings/string_view.h"
#include "fakes/kernel/options/options.h"
#include "fakes/kernel/sysctls.h"
#include "fakes/kernel/tcp/tcp_info.h"
#include "fakes/kernel/tcp/tcp_state.h"
#include "syscalls/sys_result.h"

// What the options of the kernel that this runs on and of the model are
// compared by. For tests.

namespace net::fake {

// How far a socket has come.
enum class Stage { kFresh, kBound, kListening, kConnected, kAccepted };
absl::string_view StageName(Stage stage);  // "Fresh"
bool HasConnection(Stage stage);

// What getsockopt(2) answered.
struct Answer {
  int error = 0;
  socklen_t size = 0;  // what the length says afterwards
  std::string value;   // as many bytes

  friend bool operator==(const Answer&, const Answer&) = default;
};
std::ostream& operator<<(std::ostream& os, const Answer& answer);

// A socket, real or not.
class Subject {
 public:
  virtual ~Subject() = default;
  virtual SysResult Set(int level, int name, const void* value,
                        socklen_t size) = 0;
  virtual SysResult Get(int level, int name, void* value, socklen_t* size) = 0;

  // With room for `size` bytes, or at a null pointer.
  Answer Ask(int level, int name, socklen_t size, bool null = false);
};

// A TCP socket of the kernel, on the loopback interface. What fails in making
// it ends the program.
class RealSubject final : public Subject {
 public:
  RealSubject(int family, Stage stage);
  RealSubject(const RealSubject&) = delete;
  RealSubject& operator=(const RealSubject&) = delete;
  ~RealSubject() override;

  SysResult Set(int level, int name, const void* value,
                socklen_t size) override;
  SysResult Get(int level, int name, void* value, socklen_t* size) override;

  uint16_t port() const;

 private:
  void MakeConnection(int family, Stage stage);

  int fd_;
  int other_ = -1;
};

// The machine and the process, as the model is told of them.
struct Who {
  FakeSysctls sysctls;
  bool net_admin = false;
  bool net_raw = false;
  bool host_admin = false;
};

// The Who that describes this machine and thread: the kernel is asked.
Who AskWho();

// SocketOptions, in a socket of which nothing else is there. `who` must outlive
// it.
class ModelSubject final : public Subject, private OptionHost {
 public:
  ModelSubject(int family, Stage stage, uint16_t port, const Who& who);

  SysResult Set(int level, int name, const void* value,
                socklen_t size) override;
  SysResult Get(int level, int name, void* value, socklen_t* size) override;

 private:
  int family() const override { return family_; }
  TcpState state() const override;
  bool bound() const override { return stage_ != Stage::kFresh; }
  const FakeSysctls& sysctls() const override { return who_.sysctls; }
  bool net_admin() const override { return who_.net_admin; }
  bool net_raw() const override { return who_.net_raw; }
  bool host_admin() const override { return who_.host_admin; }
  int TakeError() override { return 0; }
  TcpInfoSource info_source() const override { return source_; }
  void ForgetRoute() override { source_.path_mtu = 0; }

  const int family_;
  const Stage stage_;
  const Who& who_;
  SocketOptions options_;
  TcpInfoSource source_;
};

// Gives the thread a network of its own, as the owner of the machine or of a
// user namespace, with its loopback interface up. False: it may not.
bool EnterNetwork();

// Whether this is the kernel that the model was measured on: Linux 6.18 with
// HZ=250. Others may answer otherwise.
bool IsMeasuredKernel();

}  // namespace net::fake

#endif  // FAKES_KERNEL_OPTIONS_OPTIONS_SUBJECTS_H_
