// Probes of sendfile(2) and splice(2).

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/types.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <functional>
#include <utility>
#include <vector>

#include "conformance/loopback/loopback.h"
#include "fakes/call.h"
#include "fakes/faults/errno_probes.h"
#include "fakes/faults/errno_scene.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"

namespace net {
namespace {

using loopback::Pair;
using loopback::RawSocket;

constexpr size_t kSize = 64;

// A pipe with some bytes, and a file with more.
struct SpliceScene {
  SpliceScene() {
    std::array<int, 2> ends = {-1, -1};
    static_cast<void>(Linux().Pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK));
    read = RawSocket(ends[0], Linux());
    write = RawSocket(ends[1], Linux());
    static_cast<void>(Linux().Write(write.fd(), "hello", 5));
    file = RawSocket(open("/proc/self/exe", O_RDONLY | O_CLOEXEC), Linux());
  }

  SysResult SendFileTo(int out) const {
    return Linux().SendFile(out, file.fd(), nullptr, kSize);
  }
  SysResult SendFileFrom(int in) const {
    return Linux().SendFile(write.fd(), in, nullptr, kSize);
  }
  SysResult SpliceTo(int out) const {
    return Linux().Splice(read.fd(), nullptr, out, nullptr, kSize, 0);
  }
  SysResult SpliceFrom(int in) const {
    return Linux().Splice(in, nullptr, write.fd(), nullptr, kSize, 0);
  }

  RawSocket read;
  RawSocket write;
  RawSocket file;
};

using Make = std::function<SysResult(const SpliceScene&, const RawSocket&)>;

// A probe of a call with a socket that `make_socket` makes.
ErrnoProbe With(RawSocket (*make_socket)(), Call call, int error, Make make) {
  return {call, error, [=] {
            std::signal(SIGPIPE, SIG_IGN);
            const SpliceScene scene;
            const RawSocket socket = make_socket();
            return Watch({&socket}).Of([&] { return make(scene, socket); });
          }};
}

RawSocket NewConnected() {
  // The other end stays open, so that the connection does.
  Pair pair = NewPair();
  static_cast<void>(pair.server.Release());
  return std::move(pair.client);
}

RawSocket NewNonblocking() {
  RawSocket socket = NewConnected();
  static_cast<void>(Linux().Fcntl(socket.fd(), F_SETFL, O_NONBLOCK));
  return socket;
}

RawSocket NewUnconnected() { return NewTcp(); }

}  // namespace

std::vector<ErrnoProbe> SpliceProbes() {
  using Scene = SpliceScene;
  const auto send_from = [](const Scene& scene, const RawSocket& it) {
    return scene.SendFileFrom(it.fd());
  };
  const auto send_to = [](const Scene& scene, const RawSocket& it) {
    return scene.SendFileTo(it.fd());
  };
  const auto splice_from = [](const Scene& scene, const RawSocket& it) {
    return scene.SpliceFrom(it.fd());
  };
  const auto splice_to = [](const Scene& scene, const RawSocket& it) {
    return scene.SpliceTo(it.fd());
  };
  return {
      With(NewNonblocking, Call::kSendFile, EAGAIN, send_from),
      With(NewConnected, Call::kSendFile, EBADF,
           [](const Scene& scene, const RawSocket& it) {
             return Linux().SendFile(it.fd(), scene.write.fd(), nullptr, kSize);
           }),
      With(NewConnected, Call::kSendFile, EFAULT,
           [](const Scene& scene, const RawSocket& it) {
             return Linux().SendFile(it.fd(), scene.file.fd(),
                                     BadPointer<off_t>(), kSize);
           }),
      With(NewConnected, Call::kSendFile, EINVAL,
           [](const Scene& /*scene*/, const RawSocket& it) {
             return Linux().SendFile(it.fd(), it.fd(), nullptr, kSize);
           }),
      With(NewConnected, Call::kSendFile, ESPIPE,
           [](const Scene& scene, const RawSocket& it) {
             off_t offset = 0;
             return Linux().SendFile(scene.write.fd(), it.fd(), &offset, kSize);
           }),
      With(NewConnected, Call::kSendFile, EINTR,
           [&](const Scene& scene, const RawSocket& it) {
             return Interrupted(SYS_sendfile,
                                [&] { return scene.SendFileFrom(it.fd()); });
           }),
      With(NewUnconnected, Call::kSendFile, ENOTCONN, send_from),
      With(NewUnconnected, Call::kSendFile, EPIPE, send_to),
      With(NewReset, Call::kSendFile, ECONNRESET, send_to),
      With(NewNonblocking, Call::kSplice, EAGAIN, splice_from),
      With(NewConnected, Call::kSplice, EBADF,
           [](const Scene& scene, const RawSocket& it) {
             return Linux().Splice(scene.write.fd(), nullptr, it.fd(), nullptr,
                                   kSize, 0);
           }),
      With(NewConnected, Call::kSplice, EINVAL,
           [](const Scene& /*scene*/, const RawSocket& it) {
             return Linux().Splice(it.fd(), nullptr, it.fd(), nullptr, kSize,
                                   0);
           }),
      With(NewConnected, Call::kSplice, ESPIPE,
           [](const Scene& scene, const RawSocket& it) {
             loff_t offset = 0;
             return Linux().Splice(scene.read.fd(), &offset, it.fd(), nullptr,
                                   kSize, 0);
           }),
      With(NewConnected, Call::kSplice, EFAULT,
           [](const Scene& scene, const RawSocket& it) {
             return Linux().Splice(it.fd(), BadPointer<loff_t>(),
                                   scene.write.fd(), nullptr, kSize, 0);
           }),
      With(NewConnected, Call::kSplice, EINTR,
           [](const Scene& scene, const RawSocket& it) {
             return Interrupted(SYS_splice,
                                [&] { return scene.SpliceFrom(it.fd()); });
           }),
      With(NewUnconnected, Call::kSplice, ENOTCONN, splice_from),
      With(NewUnconnected, Call::kSplice, EPIPE, splice_to),
      With(NewReset, Call::kSplice, ECONNRESET, splice_to),
  };
}

}  // namespace net
