#include "conformance/driver_host/transcript.h"

#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <new>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "conformance/suite/checked.h"
#include "syscalls/mutex.h"

namespace net::conformance {
namespace {

constexpr size_t kLines = 40;
constexpr size_t kWidth = 240;

// Text in shared memory. The writer may be killed at any point, so a reader
// relies only on the size being within the capacity.
class SharedLine {
 public:
  void Set(absl::string_view text) {
    const size_t size = std::min(text.size(), text_.size());
    size_.store(0);
    std::memcpy(text_.data(), text.data(), size);
    size_.store(size);
  }
  std::string Get() const {
    return std::string(text_.data(), std::min(size_.load(), text_.size()));
  }

 private:
  std::atomic<size_t> size_ = 0;
  std::array<char, kWidth + 5> text_ = {};
};

}  // namespace

struct Transcript::Shared {
  std::atomic<size_t> count = 0;  // of all lines so far
  std::array<SharedLine, kLines> lines;
  SharedLine incomplete;
};

Transcript::Transcript()
    : shared_([] {
        void* memory = mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE,
                            MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (memory == MAP_FAILED) Checked(-1, "mmap");
        return new (memory) Shared;
      }()) {}

Transcript::~Transcript() { munmap(shared_, sizeof(Shared)); }

void Transcript::Add(bool sent, absl::string_view message) {
  const MutexLock lock(mutex_);
  const size_t count = shared_->count.load();
  shared_->lines[count % kLines].Set(
      absl::StrCat(sent ? "> " : "< ", message.substr(0, kWidth),
                   message.size() > kWidth ? "..." : ""));
  shared_->count.store(count + 1);
  shared_->incomplete.Set("");
}

void Transcript::SetIncomplete(absl::string_view what) {
  const MutexLock lock(mutex_);
  shared_->incomplete.Set(what);
}

void Transcript::Clear() {
  const MutexLock lock(mutex_);
  shared_->count.store(0);
  shared_->incomplete.Set("");
}

std::string Transcript::Text() const {
  const size_t count = shared_->count.load();
  std::string text;
  for (size_t i = count - std::min(count, kLines); i < count; ++i) {
    absl::StrAppend(&text, text.empty() ? "" : "\n",
                    shared_->lines[i % kLines].Get());
  }
  const std::string incomplete = shared_->incomplete.Get();
  if (!incomplete.empty()) {
    absl::StrAppend(&text, text.empty() ? "" : "\n", "(", incomplete, ")");
  }
  return text;
}

}  // namespace net::conformance
