#include "conformance/driver_host/passing.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cstring>

#include "conformance/suite/checked.h"

namespace net::conformance {
namespace {

// A message of one byte, with space for one descriptor.
struct Message {
  Message() {
    header.msg_iov = &data;
    header.msg_iovlen = 1;
    header.msg_control = control.data();
    header.msg_controllen = control.size();
  }

  char byte = 0;
  iovec data = {.iov_base = &byte, .iov_len = 1};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control = {};
  msghdr header = {};
};

// Moves a descriptor above the numbers that the driver's channel will have; see
// MakePipe().
int MoveUp(int fd) {
  const int moved = CheckedFd(fcntl(fd, F_DUPFD_CLOEXEC, 10), "fcntl");
  close(fd);
  return moved;
}

}  // namespace

Passing::Passing() {
  std::array<int, 2> ends = {};
  Checked(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()),
          "socketpair");
  sender_ = MoveUp(ends[0]);
  receiver_ = MoveUp(ends[1]);
}

Passing::~Passing() { Close(); }

void Passing::Close() {
  for (int* end : {&sender_, &receiver_}) {
    if (*end >= 0) close(*end);
    *end = -1;
  }
}

void Passing::Pass(int fd) const {
  Message message;
  cmsghdr* const item = CMSG_FIRSTHDR(&message.header);
  item->cmsg_level = SOL_SOCKET;
  item->cmsg_type = SCM_RIGHTS;
  item->cmsg_len = CMSG_LEN(sizeof(fd));
  std::memcpy(CMSG_DATA(item), &fd, sizeof(fd));
  Checked(sendmsg(sender_, &message.header, MSG_NOSIGNAL | MSG_DONTWAIT),
          "sendmsg");
}

void Passing::TakeBack() const {
  while (true) {
    Message message;
    const ssize_t got =
        recvmsg(receiver_, &message.header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (got <= 0) return;
    const cmsghdr* const item = CMSG_FIRSTHDR(&message.header);
    if (item == nullptr || item->cmsg_type != SCM_RIGHTS) continue;
    int fd = -1;
    std::memcpy(&fd, CMSG_DATA(item), sizeof(fd));
    close(fd);
  }
}

}  // namespace net::conformance
