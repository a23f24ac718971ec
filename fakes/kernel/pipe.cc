#include "fakes/kernel/pipe.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <utility>

#include "fakes/kernel/kernel.h"
#include "fakes/kernel/tcp/byte_queue.h"
#include "fakes/kernel/user_memory.h"
#include "fakes/kernel/waiting.h"
#include "syscalls/sys_result.h"

namespace net::fake {
namespace {

constexpr size_t kPages = 16;
constexpr size_t kPageSize = 4096;

class PipeEnd;

// The state that the two ends share.
//
// Linux stores the bytes in pages, and their fill levels determine how much
// fits (fcntl(2), F_SETPIPE_SZ). A write appends `size` modulo the page size to
// the last page, if that many bytes fit there. The rest goes into new pages.
struct Pipe {
  explicit Pipe(Kernel& owner) : kernel(owner) {}
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  ~Pipe() { bytes.Take(kernel.chunks, nullptr, bytes.size()); }

  bool full() const { return pages.size() == kPages; }

  // Append bytes of a write and return how many. AppendToLastPage() appends
  // those that go to the last page, possibly 0. AppendPage() fills a new page;
  // requires !full().
  size_t AppendToLastPage(const char* data, size_t size);
  size_t AppendPage(const char* data, size_t size);
  // Removes the first `size` bytes. Requires that there are so many.
  void Take(char* to, size_t size);

  struct Page {
    size_t end;     // Offset of the next byte.
    size_t unread;  // In bytes.
  };

  Kernel& kernel;
  ByteQueue bytes;
  std::deque<Page> pages;    // Those with unread bytes.
  PipeEnd* read = nullptr;   // Null: closed.
  PipeEnd* write = nullptr;  // Null: closed.
  // Whether an end was polled (poll_usage of Linux).
  bool polled = false;
};

size_t Pipe::AppendToLastPage(const char* data, size_t size) {
  const size_t part = size % kPageSize;
  if (pages.empty() || pages.back().end + part > kPageSize) return 0;
  bytes.Append(kernel.chunks, data, part);
  pages.back().end += part;
  pages.back().unread += part;
  return part;
}

size_t Pipe::AppendPage(const char* data, size_t size) {
  const size_t part = std::min(size, kPageSize);
  bytes.Append(kernel.chunks, data, part);
  pages.push_back({.end = part, .unread = part});
  return part;
}

void Pipe::Take(char* to, size_t size) {
  bytes.Take(kernel.chunks, to, size);
  while (size > 0) {
    const size_t part = std::min(size, pages.front().unread);
    pages.front().unread -= part;
    size -= part;
    if (pages.front().unread == 0) pages.pop_front();
  }
}

class PipeEnd final : public File {
 public:
  PipeEnd(std::shared_ptr<Pipe> pipe, int access_mode)
      : File(access_mode), pipe_(std::move(pipe)) {
    (reads() ? pipe_->read : pipe_->write) = this;
  }

  bool has_async() const override { return true; }
  bool has_direct() const override { return true; }

  int16_t PollEvents() override {
    pipe_->polled = true;
    if (reads()) {
      const int there = pipe_->bytes.size() > 0 ? POLLIN | POLLRDNORM : 0;
      return static_cast<int16_t>(there |
                                  (pipe_->write == nullptr ? POLLHUP : 0));
    }
    const int room = pipe_->full() ? 0 : POLLOUT | POLLWRNORM;
    return static_cast<int16_t>(room | (pipe_->read == nullptr ? POLLERR : 0));
  }

  SysResult Read(const Caller& caller, char* data, size_t size) override {
    if (size == 0) return SysResult::Ok();
    Wait wait(pipe_->kernel.scheduler, caller.site);
    wait.Add(waiters());
    bool waited = false;
    while (pipe_->bytes.size() == 0) {
      if (pipe_->write == nullptr) return SysResult::Ok();
      if (nonblocking()) return SysResult::Error(EAGAIN);
      const Woken woken = wait.Block();
      waited = true;
      if (woken != Woken::kEvent && woken != Woken::kRestart) {
        return SysResult::Error(ErrnoFor(woken));
      }
    }
    const size_t part = std::min(size, pipe_->bytes.size());
    if (!IsUserAddress(data, part)) return SysResult::Error(EFAULT);
    const bool was_full = pipe_->full();
    pipe_->Take(data, part);
    if (pipe_->write != nullptr && was_full && !pipe_->full()) {
      pipe_->write->waiters().WakeOne(kWritable);
    }
    // The rest is for the next reader.
    if (waited && pipe_->bytes.size() > 0) waiters().WakeOne(kReadable);
    return SysResult::Ok(static_cast<int64_t>(part));
  }

  SysResult Write(const Caller& caller, const char* data,
                  size_t size) override {
    if (size == 0) return SysResult::Ok();
    if (!IsUserAddress(data, size)) return SysResult::Error(EFAULT);
    bool was_empty = pipe_->pages.empty();
    bool waited = false;
    const SysResult result = WriteAll(caller, data, size, was_empty, waited);
    // A reader waits only while the pipe is empty. A pipe that has been polled
    // wakes its pollers for each write, even for one that fails (pipe_write()
    // of Linux's fs/pipe.c).
    if (was_empty || pipe_->polled) WakeReaders();
    if (waited && !pipe_->full()) waiters().WakeOne(kWritable);
    return result;
  }

  SysResult Ioctl(uint64_t request, int* value) override {
    if (request != FIONREAD) return SysResult::Error(ENOTTY);
    *value = static_cast<int>(pipe_->bytes.size());
    return SysResult::Ok();
  }

  const void* SharedObject() const override { return pipe_.get(); }
  std::string Describe() const override {
    return reads() ? "pipe, read end" : "pipe, write end";
  }

 protected:
  void OnLastClose(const Caller&) override {
    --pipe_->kernel.open_files;
    (reads() ? pipe_->read : pipe_->write) = nullptr;
    PipeEnd* const other = reads() ? pipe_->write : pipe_->read;
    if (other != nullptr) other->waiters().WakeAll();
    delete this;
  }

 private:
  static constexpr int16_t kReadable = POLLIN | POLLRDNORM;
  static constexpr int16_t kWritable = POLLOUT | POLLWRNORM;

  bool reads() const { return access_mode() == O_RDONLY; }

  void WakeReaders() const {
    if (pipe_->read != nullptr) pipe_->read->waiters().WakeOne(kReadable);
  }

  // Writes all bytes. `was_empty` is whether the pipe was empty before the
  // bytes whose readers have not been woken yet; `waited` is whether the call
  // has waited for room.
  SysResult WriteAll(const Caller& caller, const char* data, size_t size,
                     bool& was_empty, bool& waited) {
    // A write of at most one page (PIPE_BUF, pipe(7)) needs no special case to
    // be atomic: all of it goes to the last page, or to one new page.
    size_t written =
        pipe_->read != nullptr ? pipe_->AppendToLastPage(data, size) : 0;
    Wait wait(pipe_->kernel.scheduler, caller.site);
    wait.Add(waiters());
    while (written < size) {
      if (pipe_->read == nullptr) {
        caller.SendSigpipe();
        if (written > 0) break;
        return SysResult::Error(EPIPE);
      }
      if (!pipe_->full()) {
        written += pipe_->AppendPage(data + written, size - written);
        continue;
      }
      if (written > 0 && nonblocking()) break;
      if (nonblocking()) return SysResult::Error(EAGAIN);
      if (was_empty) WakeReaders();
      const Woken woken = wait.Block();
      was_empty = pipe_->pages.empty();
      waited = true;
      if (woken == Woken::kEvent || woken == Woken::kRestart) continue;
      if (written > 0 && woken != Woken::kDeadlock) break;
      return SysResult::Error(ErrnoFor(woken));
    }
    return SysResult::Ok(static_cast<int64_t>(written));
  }

  const std::shared_ptr<Pipe> pipe_;
};

}  // namespace

PipeEnds NewPipe(Kernel& kernel) {
  const auto pipe = std::make_shared<Pipe>(kernel);
  return {.read = new PipeEnd(pipe, O_RDONLY),
          .write = new PipeEnd(pipe, O_WRONLY)};
}

}  // namespace net::fake
