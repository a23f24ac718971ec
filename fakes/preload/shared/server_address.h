#ifndef FAKES_PRELOAD_SHARED_SERVER_ADDRESS_H_
#define FAKES_PRELOAD_SHARED_SERVER_ADDRESS_H_

#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "absl/strings/string_view.h"

namespace net::preload {

// The environment variable with the name of the server's socket. on_fake_kernel
// chooses the name. Until a server listens at it, a process holds a FakeKernel
// itself.
inline constexpr char kServerVariable[] = "NET_FAKE_SERVER";

// The address of the server's socket, an abstract one (unix(7)).
class ServerAddress {
 public:
  explicit ServerAddress(absl::string_view name)
      : size_(std::min(name.size(), sizeof(address_.sun_path) - 1)) {
    address_.sun_family = AF_UNIX;
    // The first byte of an abstract name is 0.
    std::memcpy(address_.sun_path + 1, name.data(), size_);
  }

  const sockaddr* get() const {
    return reinterpret_cast<const sockaddr*>(&address_);
  }
  socklen_t size() const {
    return static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + size_);
  }

 private:
  sockaddr_un address_ = {};
  size_t size_;
};

}  // namespace net::preload

#endif  // FAKES_PRELOAD_SHARED_SERVER_ADDRESS_H_
