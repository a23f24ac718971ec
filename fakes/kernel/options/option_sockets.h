#ifndef FAKES_KERNEL_OPTIONS_OPTION_SOCKETS_H_
#define FAKES_KERNEL_OPTIONS_OPTION_SOCKETS_H_

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

// Sockets of the real kernel and of the model, for tests that compare their
// options.

namespace net::fake {

// The state that a socket has reached.
enum class Stage { kFresh, kBound, kListening, kConnected, kAccepted };
absl::string_view StageName(Stage stage);  // For example "Fresh".
bool HasConnection(Stage stage);

// The result of a getsockopt(2).
struct GetResult {
  int error = 0;
  socklen_t size = 0;  // The length after the call.
  std::string value;   // The first `size` bytes.

  friend bool operator==(const GetResult&, const GetResult&) = default;
};
std::ostream& operator<<(std::ostream& os, const GetResult& result);

// A socket of the kernel or of the model.
class OptionSocket {
 public:
  virtual ~OptionSocket() = default;
  virtual SysResult Set(int level, int name, const void* value,
                        socklen_t size) = 0;
  virtual SysResult Get(int level, int name, void* value, socklen_t* size) = 0;

  // Calls getsockopt(2) with a buffer of `size` bytes or, with `null`, a null
  // pointer.
  GetResult Call(int level, int name, socklen_t size, bool null = false);
};

// A TCP socket of the real kernel on the loopback interface. The constructor
// ends the program if a call fails.
class LinuxSocket final : public OptionSocket {
 public:
  LinuxSocket(int family, Stage stage);
  LinuxSocket(const LinuxSocket&) = delete;
  LinuxSocket& operator=(const LinuxSocket&) = delete;
  ~LinuxSocket() override;

  SysResult Set(int level, int name, const void* value,
                socklen_t size) override;
  SysResult Get(int level, int name, void* value, socklen_t* size) override;

  uint16_t port() const;

 private:
  void MakeConnection(int family, Stage stage);

  int fd_;
  int other_ = -1;
};

// The machine's sysctls and the process's capabilities, as input for the model.
struct HostSettings {
  FakeSysctls sysctls;
  bool net_admin = false;
  bool net_raw = false;
  bool host_admin = false;
};

// Reads the HostSettings of this machine and thread from the kernel.
HostSettings ReadHostSettings();

// SocketOptions in a socket without any other state. `settings` must outlive
// it.
class ModelSocket final : public OptionSocket, private OptionHost {
 public:
  ModelSocket(int family, Stage stage, uint16_t port,
              const HostSettings& settings);

  SysResult Set(int level, int name, const void* value,
                socklen_t size) override;
  SysResult Get(int level, int name, void* value, socklen_t* size) override;

 private:
  int family() const override { return family_; }
  TcpState state() const override;
  bool bound() const override { return stage_ != Stage::kFresh; }
  const FakeSysctls& sysctls() const override { return settings_.sysctls; }
  bool net_admin() const override { return settings_.net_admin; }
  bool net_raw() const override { return settings_.net_raw; }
  bool host_admin() const override { return settings_.host_admin; }
  int TakeError() override { return 0; }
  TcpInfoSource info_source() const override { return source_; }
  void ForgetRoute() override { source_.path_mtu = 0; }

  const int family_;
  const Stage stage_;
  const HostSettings& settings_;
  SocketOptions options_;
  TcpInfoSource source_;
};

// Returns whether this is the kernel that the model was measured on: Linux 6.18
// with HZ=250. Others may behave differently.
bool IsMeasuredKernel();

}  // namespace net::fake

#endif  // FAKES_KERNEL_OPTIONS_OPTION_SOCKETS_H_
