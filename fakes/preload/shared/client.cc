#include "fakes/preload/shared/client.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <utility>

#include "absl/strings/string_view.h"
#include "fakes/kernel/kernel_section.h"
#include "fakes/preload/descriptors.h"
#include "fakes/preload/native_descriptors.h"
#include "fakes/preload/shared/message.h"
#include "fakes/preload/shared/protocol.h"
#include "fakes/preload/shared/server_address.h"
#include "syscalls/sys_result.h"

namespace net::preload {
namespace {

constexpr int kRefused = 2;

[[noreturn]] void EndWithoutServer(const char* what) {
  std::fprintf(stderr,
               "libnet_fake.so: %s: the process that holds the FakeKernel is "
               "gone\n",
               what);
  std::_Exit(kRefused);
}

// Moves a descriptor to a number that programs do not use: they expect low
// numbers to be free.
int MoveUp(int fd) {
  constexpr rlim_t kEnough = 4096;
  rlimit limit = {};
  getrlimit(RLIMIT_NOFILE, &limit);
  const rlim_t end = std::min(limit.rlim_cur, kEnough);
  const int moved = fcntl(fd, F_DUPFD_CLOEXEC, static_cast<int>(end - end / 8));
  if (moved < 0) return fd;
  close(fd);
  return moved;
}

// Returns a connection to the server, or -1 with errno set.
int TryToConnect() {
  const char* const name = getenv(kServerVariable);
  const absl::string_view text = name == nullptr ? "" : name;
  const ServerAddress address(text);
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd >= 0 && connect(fd, address.get(), address.size()) != 0) {
    const int error = errno;
    close(fd);
    errno = error;
    return -1;
  }
  return fd;
}

int first_connection = -1;  // Of FindServer().

int Connect() {
  const int first = std::exchange(first_connection, -1);
  const int fd = first >= 0 ? first : TryToConnect();
  if (fd < 0) EndWithoutServer(std::strerror(errno));
  const int moved = MoveUp(fd);
  SetKind(moved, Kind::kInternal);
  return moved;
}

}  // namespace

bool FindServer() {
  const fake::KernelSection section;
  first_connection = TryToConnect();
  return first_connection >= 0;
}

Hello NewHello(Role role, int number) {
  Hello hello = {.role = role, .number = number, .thread = gettid()};
  const absl::string_view name = program_invocation_short_name;
  std::memcpy(hello.name, name.data(),
              std::min(name.size(), sizeof(hello.name) - 1));
  return hello;
}

namespace {

// Never destroyed, and replaced in the child of fork(2) only.
std::atomic<MessageChannel*> signal_channel = nullptr;

}  // namespace

void OpenSignalChannel() {
  const fake::KernelSection section;
  auto* const channel = new MessageChannel(Connect());
  MessageWriter message;
  message.Put(NewHello(Role::kSignals));
  if (!channel->Send(0, message.bytes())) EndWithoutServer("connect");
  signal_channel = channel;
}

void Send(const SignalReport& report) {
  MessageChannel* const channel = signal_channel;
  if (channel == nullptr) return;
  MessageWriter message;
  message.Put(report);
  // Linux sends so few bytes at once, or none if the server is gone.
  static_cast<void>(channel->Send(0, message.bytes()));
}

ServerConnection::ServerConnection(const Hello& hello) : channel_(Connect()) {
  MessageWriter message;
  message.Put(hello);
  if (!channel_.Send(0, message.bytes())) EndWithoutServer("connect");
  number_ = Await().Take<int32_t>();
}

ServerConnection::~ServerConnection() { SetKind(channel_.fd(), Kind::kNative); }

MessageWriter ServerConnection::TakePrologue() {
  MessageWriter message;
  message.Put(Prologue{.calls = std::exchange(calls_, 0),
                       .is_active = std::exchange(is_active_, false),
                       .wakeups = static_cast<int32_t>(wakeups_.size())});
  for (const Wakeup& wakeup : wakeups_) message.Put(wakeup);
  wakeups_.clear();
  return message;
}

void ServerConnection::Notify(Request request, const MessageWriter& arguments) {
  ++sent_;
  MessageWriter message = TakePrologue();
  message.Append(arguments);
  if (!channel_.Send(static_cast<uint32_t>(request), message.bytes())) {
    EndWithoutServer("send");
  }
}

MessageReader ServerConnection::Exchange(Request request,
                                         const MessageWriter& arguments) {
  const uint64_t outer = request_.exchange(sent_ + 1);
  ReportEarlySignal(*this);
  Notify(request, arguments);
  const MessageReader reply = Await();
  request_ = outer;
  NoteEpilogue(epilogue_);
  return reply;
}

MessageReader ServerConnection::Await() {
  for (;;) {
    uint32_t type = 0;
    MessageReader message;
    if (!channel_.Receive(type, message)) EndWithoutServer("receive");
    MessageWriter done;
    switch (static_cast<Answer>(type)) {
      case Answer::kGo:
      case Answer::kReply:
        epilogue_ = message.Take<Epilogue>();
        return message;
      case Answer::kMakePlaceholder:
        done.Put(OwnDescriptors().Make(message.Take<PlaceholderSpec>()));
        break;
      case Answer::kClose:
        OwnDescriptors().Close(message.Take<int>());
        break;
      case Answer::kDuplicate: {
        const int old_fd = message.Take<int>();
        const int new_fd = message.Take<int>();
        OwnDescriptors().Duplicate(old_fd, new_fd, message.Take<int>());
        break;
      }
      case Answer::kRunHandlers: {
        const uint64_t request = request_.exchange(0);
        fake::KernelSection::RunDeferred();
        request_ = request;
        break;
      }
    }
    if (!channel_.Send(kDone, done.bytes())) EndWithoutServer("send");
  }
}

}  // namespace net::preload
