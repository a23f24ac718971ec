#include "fakes/preload/shared/message.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <ctime>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace net::preload {
namespace {

constexpr size_t kBuffer = size_t{64} << 10;

// The functions of the C library for sendmsg(2) and recvfrom(2) are points at
// which pthread_cancel(3) ends a thread. Half a message must not be lost.

}  // namespace

MessageChannel::~MessageChannel() { close(fd_); }

bool MessageChannel::Send(uint32_t type, absl::string_view bytes) {
  Header header = {.type = type, .reserved = 0, .size = bytes.size()};
  iovec parts[] = {
      {.iov_base = &header, .iov_len = sizeof(header)},
      {.iov_base = const_cast<char*>(bytes.data()), .iov_len = bytes.size()}};
  msghdr message = {};
  message.msg_iov = parts;
  message.msg_iovlen = 2;
  while (message.msg_iovlen > 0) {
    const auto sent = syscall(SYS_sendmsg, fd_, &message, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return false;
    auto left = static_cast<size_t>(sent);
    while (message.msg_iovlen > 0 && left >= message.msg_iov->iov_len) {
      left -= message.msg_iov->iov_len;
      ++message.msg_iov;
      --message.msg_iovlen;
    }
    if (message.msg_iovlen == 0) break;
    message.msg_iov->iov_base =
        static_cast<char*>(message.msg_iov->iov_base) + left;
    message.msg_iov->iov_len -= left;
  }
  return true;
}

bool MessageChannel::IsReadable(absl::Duration limit) const {
  if (begin_ != end_) return true;
  pollfd one = {.fd = fd_, .events = POLLIN, .revents = 0};
  const timespec time = absl::ToTimespec(limit);
  return ppoll(&one, 1, &time, nullptr) > 0;
}

bool MessageChannel::Receive(uint32_t& type, MessageReader& message) {
  if (!Fill(sizeof(Header))) return false;
  Header header = {};
  std::memcpy(&header, buffer_.data() + begin_, sizeof(header));
  if (!Fill(sizeof(header) + header.size)) return false;
  type = header.type;
  message = MessageReader(
      absl::string_view(buffer_).substr(begin_ + sizeof(header), header.size));
  begin_ += sizeof(header) + header.size;
  return true;
}

bool MessageChannel::Fill(size_t size) {
  if (end_ - begin_ >= size) return true;
  std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
  end_ -= begin_;
  begin_ = 0;
  if (buffer_.size() < std::max(size, kBuffer)) {
    buffer_.resize(std::max(size, kBuffer));
  }
  while (end_ < size) {
    const auto got = syscall(SYS_recvfrom, fd_, buffer_.data() + end_,
                             buffer_.size() - end_, 0, nullptr, nullptr);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    end_ += static_cast<size_t>(got);
  }
  return true;
}

}  // namespace net::preload
