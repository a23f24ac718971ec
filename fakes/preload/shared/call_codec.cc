#include "fakes/preload/shared/call_codec.h"

#include <sys/epoll.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <iterator>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "absl/strings/string_view.h"
#include "fakes/call.h"
#include "fakes/invocation.h"
#include "fakes/preload/shared/message.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscall_table.h"

namespace net::preload {
namespace {

// Behind each copy: the kernel reads some structures whole, whatever the length
// is that the program has passed.
constexpr size_t kSlack = 128;
constexpr size_t kPointerSize = sizeof(void*);

}  // namespace

ClientCall::ClientCall(const Invocation& invocation)
    : call_(invocation.call()),
      arguments_(invocation.List()),
      regions_(FindRegions(arguments_)) {}

void ClientCall::Put(MessageWriter& message) const {
  message.Put(static_cast<uint32_t>(call_));
  for (const Argument& argument : arguments_) {
    message.Put(
        argument.pointer != nullptr
            ? static_cast<int64_t>(reinterpret_cast<intptr_t>(argument.pointer))
            : argument.number);
  }
  message.Put(static_cast<uint32_t>(regions_.size()));
  for (const Region& region : regions_) {
    message.Put(region.back)
        .Put(static_cast<int32_t>(region.parent))
        .Put(static_cast<uint64_t>(region.place))
        .Put(static_cast<uint64_t>(region.size));
    if (region.is_sent()) message.PutBytes(region.memory, region.size);
  }
}

SysResult ClientCall::TakeResult(MessageReader& message) const {
  const auto result = message.Take<SysResult>();
  for (const Region& region : regions_) {
    if (region.back == Region::Back::kNothing) continue;
    const absl::string_view bytes = message.TakeBytes();
    const size_t size = std::min(bytes.size(), region.size);
    // Memory that the call only reads may be read-only.
    if (size > 0 && std::memcmp(region.memory, bytes.data(), size) != 0) {
      std::memcpy(region.memory, bytes.data(), size);
    }
  }
  return result;
}

// --- The server's side

namespace {

template <typename T>
T FromWord(int64_t word) {
  if constexpr (std::is_pointer_v<T>) {
    // NOLINTNEXTLINE(performance-no-int-to-ptr): words carry pointers
    return reinterpret_cast<T>(word);
  } else {
    return static_cast<T>(word);
  }
}

#define NET_KIND(type, name, kind) ArgumentKind::k##kind
constexpr size_t kArgumentCounts[] = {
#define NET_SYSCALL(method, name, result, ...)                    \
  std::initializer_list<ArgumentKind>{                            \
      NET_SYSCALL_EACH(NET_KIND, NET_SYSCALL_COMMA, __VA_ARGS__)} \
      .size(),
#include "syscalls/syscall_table.inc"
};
#undef NET_KIND

// Returns the call with the arguments.
#define NET_FROM_WORD(type, name, kind) FromWord<type>(*word++)
Invocation MakeInvocation(Call call, const int64_t* word) {
  switch (call) {
#define NET_SYSCALL(method, name, result, ...)    \
  case Call::k##method:                           \
    return Invocation(Arguments<Call::k##method>{ \
        NET_SYSCALL_EACH(NET_FROM_WORD, NET_SYSCALL_COMMA, __VA_ARGS__)});
#include "syscalls/syscall_table.inc"
  }
  return Invocation(Arguments<Call::kClose>{-1});
}
#undef NET_FROM_WORD

}  // namespace

std::optional<ServerCall> ServerCall::Take(MessageReader& message) {
  const auto call = message.Take<uint32_t>();
  if (call >= kCallCount) return std::nullopt;
  int64_t words[6] = {};
  for (size_t i = 0; i < kArgumentCounts[call]; ++i) {
    words[i] = message.Take<int64_t>();
  }
  ServerCall taken;
  const auto count = message.Take<uint32_t>();
  for (uint32_t i = 0; i < count; ++i) {
    Region region;
    region.back = message.Take<Region::Back>();
    region.parent = message.Take<int32_t>();
    region.place = message.Take<uint64_t>();
    region.size = message.Take<uint64_t>();
    if (region.size > kLongestData) return std::nullopt;
    Copy copy = {
        .bytes = std::unique_ptr<char[]>(new char[region.size + kSlack]),
        .size = region.size,
        .back = region.back,
        .place = nullptr,
        .client_pointer = {}};
    char* const bytes = copy.bytes.get();
    if (region.is_sent()) {
      const absl::string_view sent = message.TakeBytes();
      if (sent.size() != region.size) return std::nullopt;
      std::memcpy(bytes, sent.data(), sent.size());
      std::memset(bytes + region.size, 0, kSlack);
    }
    if (region.parent == Region::kArguments) {
      if (region.place >= std::size(words)) return std::nullopt;
      words[region.place] =
          static_cast<int64_t>(reinterpret_cast<intptr_t>(bytes));
    } else {
      const auto parent = static_cast<size_t>(region.parent);
      if (parent >= taken.copies_.size() ||
          region.place + kPointerSize > taken.copies_[parent].size) {
        return std::nullopt;
      }
      copy.place = taken.copies_[parent].bytes.get() + region.place;
      std::memcpy(copy.client_pointer.data(), copy.place, kPointerSize);
      std::memcpy(copy.place, &bytes, kPointerSize);
    }
    taken.copies_.push_back(std::move(copy));
  }
  taken.invocation_ = MakeInvocation(static_cast<Call>(call), words);
  return taken;
}

void ServerCall::PutResult(SysResult result, MessageWriter& message) {
  message.Put(result);
  // The client's structures keep their pointers.
  for (const Copy& copy : copies_) {
    if (copy.place == nullptr) continue;
    std::memcpy(copy.place, copy.client_pointer.data(), kPointerSize);
  }
  size_t left = result.ok() ? static_cast<size_t>(result.value()) : 0;
  for (const Copy& copy : copies_) {
    size_t size = copy.size;
    switch (copy.back) {
      case Region::Back::kNothing:
        continue;
      case Region::Back::kAll:
        break;
      case Region::Back::kBytes:
        size = std::min(left, size);
        left -= size;
        break;
      case Region::Back::kEvents:
        size = std::min(left * sizeof(epoll_event), size);
        break;
    }
    message.PutBytes(copy.bytes.get(), size);
  }
}

}  // namespace net::preload
