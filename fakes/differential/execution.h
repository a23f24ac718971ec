#ifndef FAKES_DIFFERENTIAL_EXECUTION_H_
#define FAKES_DIFFERENTIAL_EXECUTION_H_

#include <sys/socket.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "fakes/differential/names.h"
#include "fakes/differential/observation.h"
#include "fakes/differential/program.h"
#include "fakes/differential/streams.h"
#include "fakes/differential/worlds.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"

namespace net::differential {

// Runs a program in a world and returns its trace. With `note_states`, each
// observation also has the socket's TCP state.
//
// No step blocks. Sockets are created non-blocking. If a program has made one
// blocking, calls on it use MSG_DONTWAIT or are skipped.
Trace RunProgram(const Program& program, World& world, bool note_states);

// The address of a step in memory, padded with zeros. (execution_names.cc)
struct AddressArgument {
  AddressArgument(const Address& address, uint16_t port);

  sockaddr_storage storage = {};
  const sockaddr* pointer = nullptr;
  socklen_t length = sizeof(sockaddr_in);
};

// Implements RunProgram(): a running program.
class Execution {
 public:
  Execution(World& world, bool note_states)
      : world_(world), note_states_(note_states), names_(world.fixed_ports()) {}
  Execution(const Execution&) = delete;
  Execution& operator=(const Execution&) = delete;
  // Resets every connection that is left.
  ~Execution();

  Observation Run(const Step& step);

 private:
  // State of a socket that all its descriptors share.
  struct Socket {
    enum Kind { kTcp, kUdp, kPipe };
    Kind kind = kTcp;
    End end;
    // The socket is connected, or has tried to connect.
    bool tried = false;
    // It was shut down for reading before it was connected.
    bool wants_nothing = false;
    std::optional<ip::Endpoint> listens_on;
  };
  struct Held {
    int process = 0;
    int fd = -1;
    std::shared_ptr<Socket> socket;
  };

  // ---- Slots (execution.cc)
  const Held& At(int slot) const;
  // Returns the end of the connection of a slot's socket, if it has one.
  const End& EndAt(int slot) const;
  void Put(int slot, Held held);
  // Returns the process that makes the call.
  int ProcessOf(const Step& step) const;
  Syscalls& Sys(const Step& step);
  bool IsUncalledFor(const Step& step) const;
  bool IsUnclear(const Step& step) const;
  bool MightBlock(const Step& step);
  bool IsBlocking(const Step& step);
  int TcpState(const Step& step);
  Observation MakeCall(const Step& step);
  static Observation Skip(absl::string_view why);
  static constexpr absl::string_view kTimeMatters =
      "the time decides when held-back data is sent";
  // Returns an observation with the result and what the call filled in.
  static Observation Plain(SysResult result, absl::string_view details = "");
  // Returns the observation of a call that creates a descriptor, and stores the
  // descriptor in step.out.
  Observation Made(const Step& step, SysResult result,
                   std::shared_ptr<Socket> socket,
                   absl::string_view details = "");

  // ---- Names and addresses (execution_names.cc)
  // Return a name from the kernel, or nullopt if the call fails.
  std::optional<ip::Endpoint> LocalName(int slot);
  std::optional<ip::Endpoint> PeerName(int slot);
  uint16_t PortOf(const Address& address);
  void OfferNewPorts(int slot);
  Observation Bind(const Step& step);
  Observation Listen(const Step& step);
  Observation Accept(const Step& step);
  Observation Connect(const Step& step);
  Observation GetName(const Step& step);
  bool IsSharedByListeners(uint16_t port) const;
  // Records that the socket is now this end of a connection. `unwanted`: the
  // socket was shut down for reading before.
  static void Begin(Socket& socket, End end, bool unwanted);

  // ---- Options (execution_options.cc)
  Observation SetSockOpt(const Step& step);
  Observation GetSockOpt(const Step& step);
  std::string OptionText(const Step& step, absl::string_view value);
  Observation Fcntl(const Step& step);
  Observation Ioctl(const Step& step);

  // ---- Descriptors and readiness (execution.cc)
  Observation MakeSocket(const Step& step);
  Observation MakePipe(const Step& step);
  Observation Dup(const Step& step);
  Observation Dup3(const Step& step);
  // Records that the descriptor of a slot is closed.
  void NoteClosed(int slot);
  Observation Close(const Step& step);
  Observation Shutdown(const Step& step);
  Observation Poll(const Step& step);

  // ---- Data (execution_data.cc)
  // Records an error that a call on the slot's socket returned. recv(2) then
  // does not return it: a reset is reported once.
  void NoteError(int slot, int error);
  Observation Send(const Step& step);
  Observation Receive(const Step& step);
  Observation Fill(const Step& step);
  Observation Drain(const Step& step);
  SysResult SendBytes(const Step& step, absl::string_view bytes, int flags);
  SysResult ReceiveBytes(const Step& step, char* buffer, int flags,
                         std::string& details);
  std::string Received(const Step& step, int flags, absl::string_view bytes);
  // Send bytes, and receive them, through a pipe. They fail with EILSEQ if the
  // bytes in the pipe are wrong.
  SysResult SendThroughPipe(const Step& step, absl::string_view bytes);
  SysResult ReceiveThroughPipe(const Step& step, char* buffer, size_t size);

  World& world_;
  const bool note_states_;
  Names names_;
  Streams streams_;
  // The number of times that the kernel got new ports to choose from.
  uint32_t offers_ = 0;
  // A socket has set its buffer or segment sizes.
  bool small_buffers_ = false;
  // A listener has set TCP_DEFER_ACCEPT.
  bool deferring_ = false;
  // A socket has set SO_LINGER, so that its close(2) can be a reset.
  bool lingering_ = false;
  // A socket has set SO_RCVLOWAT.
  bool low_water_ = false;
  // A socket has held data back (TCP_CORK, MSG_MORE).
  bool holding_back_ = false;
  // More was sent on a connection than certainly fits into its buffers.
  bool overfilled_ = false;
  // The contents of empty slots.
  const Held nothing_;
  const End nowhere_;
  std::array<Held, kSlots> slots_;
  // Descriptors that no slot refers to any more. They are closed at the end.
  std::vector<Held> lost_;
  std::vector<std::weak_ptr<Socket>> listeners_;
};

}  // namespace net::differential

#endif  // FAKES_DIFFERENTIAL_EXECUTION_H_
