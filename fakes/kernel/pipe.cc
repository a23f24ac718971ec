#include "fakes/kernel/pipe.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/uio.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "fakes/kernel/iovec_cursor.h"
#include "fakes/kernel/kernel.h"
#include "fakes/kernel/tcp/byte_queue.h"
#include "fakes/kernel/waiting.h"
#include "syscalls/sys_result.h"

namespace net::fake {
namespace {

constexpr size_t kPages = 16;  // Of a new pipe.
constexpr size_t kPageSize = 4096;
constexpr size_t kMostBytes = size_t{1} << 20;  // fs.pipe-max-size
// The pages of one message of splice(2) to a socket (splice_to_socket() of
// Linux's fs/splice.c).
constexpr size_t kMostPages = 16;
// The bytes of a socket that take one place in a pipe: Linux moves the memory
// of a segment there, which is in blocks of this size (skb_page_frag_refill()
// of net/core/sock.c).
constexpr size_t kSplicedPage = size_t{32} << 10;

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

  bool full() const { return pages.size() >= capacity; }

  // Append bytes of a write and add their number to `written`. Return false if
  // an address is invalid (EFAULT), with nothing appended: Linux copies page by
  // page. AppendToLastPage() appends those that go to the last page, possibly
  // none. AppendPage() fills a new page; requires !full() and that some are
  // left.
  bool AppendToLastPage(IovecCursor& from, size_t& written);
  bool AppendPage(IovecCursor& from, size_t& written);
  // Removes bytes of the first page, at most `size`, and adds their number to
  // `taken`. Returns false if an address is invalid, with nothing removed.
  // Requires that there is a page.
  bool TakeFromFirstPage(IovecCursor& to, size_t size, size_t& taken);

  struct Page {
    size_t end;     // Offset of the next byte.
    size_t unread;  // In bytes.
  };

  // Appends to `bytes` only.
  bool AppendBytes(IovecCursor& from, size_t size);

  // Appends a page to which write(2) adds nothing.
  void AppendSealedPage(size_t size) {
    pages.push_back({.end = kPageSize, .unread = size});
  }

  // Waits until no splice(2) has the lock. Linux does not end this wait for a
  // signal.
  SysResult AwaitLock(const Caller& caller);

  Kernel& kernel;
  ByteQueue bytes;
  std::deque<Page> pages;    // Those with unread bytes.
  size_t capacity = kPages;  // In pages.
  PipeEnd* read = nullptr;   // Null: closed.
  PipeEnd* write = nullptr;  // Null: closed.
  // Whether an end was polled (poll_usage of Linux).
  bool polled = false;
  bool locked = false;  // By PipeFile::Lock.
  WaitQueue unlocked;
};

SysResult Pipe::AwaitLock(const Caller& caller) {
  Wait wait(kernel.scheduler, caller.site);
  wait.Add(unlocked);
  while (locked) {
    if (wait.Block() == Woken::kDeadlock) return SysResult::Error(EDEADLK);
  }
  return SysResult::Ok();
}

bool Pipe::AppendToLastPage(IovecCursor& from, size_t& written) {
  const size_t part = from.total() % kPageSize;
  if (pages.empty() || pages.back().end + part > kPageSize) return true;
  if (!AppendBytes(from, part)) return false;
  pages.back().end += part;
  pages.back().unread += part;
  written += part;
  return true;
}

bool Pipe::AppendPage(IovecCursor& from, size_t& written) {
  const size_t part = std::min(from.total() - written, kPageSize);
  if (!AppendBytes(from, part)) return false;
  pages.push_back({.end = part, .unread = part});
  written += part;
  return true;
}

bool Pipe::AppendBytes(IovecCursor& from, size_t size) {
  if (!from.IsValidFor(size)) return false;
  while (size > 0) {
    size_t piece = 0;
    const char* const data = from.Next(size, &piece);
    bytes.Append(kernel.chunks, data, piece);
    size -= piece;
  }
  return true;
}

bool Pipe::TakeFromFirstPage(IovecCursor& to, size_t size, size_t& taken) {
  size = std::min(size, pages.front().unread);
  if (!to.IsValidFor(size)) return false;
  taken += size;
  pages.front().unread -= size;
  if (pages.front().unread == 0) pages.pop_front();
  while (size > 0) {
    size_t piece = 0;
    char* const data = to.Next(size, &piece);
    bytes.Take(kernel.chunks, data, piece);
    size -= piece;
  }
  return true;
}

class PipeEnd final : public PipeFile {
 public:
  PipeEnd(std::shared_ptr<Pipe> pipe, int access_mode)
      : PipeFile(access_mode), pipe_(std::move(pipe)) {
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

  SysResult Read(const Caller& caller, absl::Span<const iovec> parts) override {
    IovecCursor cursor(parts);
    if (cursor.total() == 0) return SysResult::Ok();
    bool waited = false;
    const SysResult there = AwaitBytes(caller, nonblocking(), waited);
    if (!there.ok() || there.value() == 0) return there;
    const bool was_full = pipe_->full();
    size_t taken = 0;
    bool is_valid = true;
    while (is_valid && taken < cursor.total() && !pipe_->pages.empty()) {
      is_valid =
          pipe_->TakeFromFirstPage(cursor, cursor.total() - taken, taken);
    }
    if (taken == 0) return SysResult::Error(EFAULT);
    if (pipe_->write != nullptr && was_full && !pipe_->full()) {
      pipe_->write->waiters().WakeOne(kWritable);
    }
    // The rest is for the next reader.
    if (waited && pipe_->bytes.size() > 0) waiters().WakeOne(kReadable);
    return SysResult::Ok(static_cast<int64_t>(taken));
  }

  SysResult Write(const Caller& caller,
                  absl::Span<const iovec> parts) override {
    IovecCursor cursor(parts);
    if (cursor.total() == 0) return SysResult::Ok();
    if (const SysResult lock = AwaitUnlocked(caller); !lock.ok()) {
      return lock;
    }
    bool was_empty = pipe_->pages.empty();
    bool waited = false;
    const SysResult result = WriteAll(caller, cursor, was_empty, waited);
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

  SysResult PipeSize() const override {
    return SysResult::Ok(static_cast<int64_t>(pipe_->capacity * kPageSize));
  }

  // pipe_set_size() of Linux (fs/pipe.c), without CAP_SYS_RESOURCE.
  SysResult SetPipeSize(uint32_t size) override {
    constexpr uint32_t kLargest = uint32_t{1} << 31;
    if (size > kLargest) return SysResult::Error(EINVAL);
    const size_t bytes = std::bit_ceil(std::max<size_t>(size, kPageSize));
    const size_t capacity = bytes / kPageSize;
    if (capacity > pipe_->capacity && bytes > kMostBytes) {
      return SysResult::Error(EPERM);
    }
    if (capacity < pipe_->pages.size()) return SysResult::Error(EBUSY);
    pipe_->capacity = capacity;
    if (pipe_->write != nullptr) pipe_->write->waiters().WakeOne();
    return PipeSize();
  }

  SysResult AwaitUnlocked(const Caller& caller) override {
    return pipe_->locked ? pipe_->AwaitLock(caller) : SysResult::Ok();
  }

  bool IsOfSamePipe(const PipeFile& other) const override {
    return pipe_ == static_cast<const PipeEnd&>(other).pipe_;
  }

  SysResult AwaitBytes(const Caller& caller, bool nonblocking) override {
    bool waited = false;
    return AwaitBytes(caller, nonblocking, waited);
  }

  bool Peek(size_t size, std::vector<char>& bytes) const override {
    const size_t pages = std::min(pipe_->pages.size(), kMostPages);
    size_t there = 0;
    for (size_t i = 0; i < pages; ++i) there += pipe_->pages[i].unread;
    bytes.resize(std::min(size, there));
    pipe_->bytes.Peek(bytes.data(), 0, bytes.size());
    return size > bytes.size() && pipe_->pages.size() > pages;
  }

  size_t Remove(size_t size, bool& freed) override {
    size = std::min(size, pipe_->bytes.size());
    pipe_->bytes.Take(pipe_->kernel.chunks, nullptr, size);
    for (size_t left = size; left > 0;) {
      Pipe::Page& first = pipe_->pages.front();
      const size_t part = std::min(left, first.unread);
      first.unread -= part;
      left -= part;
      if (first.unread > 0) break;
      pipe_->pages.pop_front();
      freed = true;
    }
    return size;
  }

  // splice_pipe_to_pipe() of Linux (fs/splice.c): a page that is moved as a
  // whole keeps the room for a write.
  size_t MoveTo(PipeFile& out, size_t size) override {
    Pipe& to = *static_cast<PipeEnd&>(out).pipe_;
    size_t moved = 0;
    bool freed = false;
    while (moved < size && !pipe_->pages.empty() && !to.full()) {
      const Pipe::Page page = pipe_->pages.front();
      const size_t part = std::min(page.unread, size - moved);
      CopyBytesTo(to, part);
      if (part == page.unread) {
        to.pages.push_back(page);
      } else {
        to.AppendSealedPage(part);
      }
      Remove(part, freed);
      moved += part;
    }
    if (moved > 0) to.read->waiters().WakeOne();
    if (freed) WakeWriters();
    return moved;
  }

  void WakeWriters() override {
    if (pipe_->write != nullptr) pipe_->write->waiters().WakeOne();
  }

  SysResult AwaitRoom(const Caller& caller, bool nonblocking) override {
    Wait wait(pipe_->kernel.scheduler, caller.site);
    wait.Add(waiters());
    for (;;) {
      if (const SysResult lock = AwaitUnlocked(caller); !lock.ok()) {
        return lock;
      }
      if (pipe_->read == nullptr) {
        caller.SendSigpipe();
        return SysResult::Error(EPIPE);
      }
      if (!pipe_->full()) return SysResult::Ok();
      if (nonblocking) return SysResult::Error(EAGAIN);
      const Woken woken = wait.Block();
      if (woken != Woken::kEvent && woken != Woken::kRestart) {
        return SysResult::Error(ErrnoFor(woken));
      }
    }
  }

  size_t Room() const override {
    const size_t used = pipe_->pages.size();
    return used < pipe_->capacity ? (pipe_->capacity - used) * kPageSize : 0;
  }

  void AppendSpliced(const char* data, size_t size) override {
    pipe_->bytes.Append(pipe_->kernel.chunks, data, size);
    while (size > 0) {
      const size_t part = std::min(size, kSplicedPage);
      pipe_->AppendSealedPage(part);
      size -= part;
    }
    if (pipe_->read != nullptr) pipe_->read->waiters().WakeOne();
  }

  const void* SharedObject() const override { return pipe_.get(); }
  std::string Describe() const override {
    return reads() ? "pipe, read end" : "pipe, write end";
  }

 protected:
  void OnLastClose(const Caller& caller) override {
    static_cast<void>(AwaitUnlocked(caller));
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

  void SetLocked(bool locked) override {
    pipe_->locked = locked;
    if (!locked) pipe_->unlocked.WakeAll();
  }

  // Does the same as the public one. Sets `waited` if it has waited.
  SysResult AwaitBytes(const Caller& caller, bool nonblocking, bool& waited) {
    Wait wait(pipe_->kernel.scheduler, caller.site);
    wait.Add(waiters());
    for (;;) {
      if (const SysResult lock = AwaitUnlocked(caller); !lock.ok()) {
        return lock;
      }
      const size_t there = pipe_->bytes.size();
      if (there > 0) return SysResult::Ok(static_cast<int64_t>(there));
      if (pipe_->write == nullptr) return SysResult::Ok();
      if (nonblocking) return SysResult::Error(EAGAIN);
      const Woken woken = wait.Block();
      waited = true;
      if (woken != Woken::kEvent && woken != Woken::kRestart) {
        return SysResult::Error(ErrnoFor(woken));
      }
    }
  }

  // Copies the first bytes to another pipe, but not their pages.
  void CopyBytesTo(Pipe& to, size_t size) const {
    char part[kPageSize];
    for (size_t done = 0; done < size;) {
      const size_t now = std::min(size - done, sizeof(part));
      pipe_->bytes.Peek(part, done, now);
      to.bytes.Append(to.kernel.chunks, part, now);
      done += now;
    }
  }

  void WakeReaders() const {
    if (pipe_->read != nullptr) pipe_->read->waiters().WakeOne(kReadable);
  }

  // Writes all bytes. `was_empty` is whether the pipe was empty before the
  // bytes whose readers have not been woken yet; `waited` is whether the call
  // has waited for room.
  SysResult WriteAll(const Caller& caller, IovecCursor& cursor, bool& was_empty,
                     bool& waited) {
    // A write of at most one page (PIPE_BUF, pipe(7)) needs no special case to
    // be atomic: all of it goes to the last page, or to one new page.
    size_t written = 0;
    if (pipe_->read != nullptr && !pipe_->AppendToLastPage(cursor, written)) {
      return SysResult::Error(EFAULT);
    }
    Wait wait(pipe_->kernel.scheduler, caller.site);
    wait.Add(waiters());
    while (written < cursor.total()) {
      if (pipe_->read == nullptr) {
        caller.SendSigpipe();
        if (written > 0) break;
        return SysResult::Error(EPIPE);
      }
      if (!pipe_->full()) {
        if (pipe_->AppendPage(cursor, written)) continue;
        if (written > 0) break;
        return SysResult::Error(EFAULT);
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
