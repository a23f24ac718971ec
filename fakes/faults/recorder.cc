#include "fakes/faults/recorder.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <map>
#include <string>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "fakes/faults/call_record.h"
#include "fakes/faults/served_call.h"
#include "fakes/faults/syscall_id.h"
#include "fakes/faults/trace.h"
#include "fakes/invocation.h"
#include "syscalls/mutex.h"
#include "syscalls/sys_result.h"

namespace net {
namespace {

constexpr size_t kBlockSize = 65536;  // Bytes.

// A call in a block: this, then its arguments, then the bytes of its record.
struct Header {
  SysResult result;
  int thread = 0;  // Its ThreadNumber().
  uint32_t bytes = 0;
  SyscallId call = SyscallId::kClose;
  bool has_message = false;
};

size_t ArgumentsSize(SyscallId call) {
  return ArgumentKindsOf(call).size() * sizeof(RecordedArgument);
}

void Append(const void* data, size_t size, std::string& to) {
  to.append(static_cast<const char*>(data), size);
}

// Reads the call at the beginning of a block, and removes it. Its message is
// not read.
CallRecord Pop(absl::string_view& block, bool& has_message) {
  const auto pop = [&](void* to, size_t size) {
    std::memcpy(to, block.data(), size);
    block.remove_prefix(size);
  };
  Header header;
  pop(&header, sizeof(header));
  has_message = header.has_message;
  CallRecord record;
  record.call = header.call;
  record.thread = header.thread;
  record.result = header.result;
  pop(record.arguments.data(), ArgumentsSize(header.call));
  record.bytes = std::string(block.substr(0, header.bytes));
  block.remove_prefix(header.bytes);
  return record;
}

}  // namespace

SysResult Recorder::Intercept(Invocation& invocation,
                              absl::FunctionRef<SysResult()> make) {
  const std::array<uint64_t, 6> registers = RegistersOf(invocation);
  CallRecord record =
      BeginRecord(IdOf(invocation.call()), registers, ReadOwnMemory);
  const SysResult result = make();
  FinishRecord(record, registers, result, ReadOwnMemory);
  const Header header = {.result = result,
                         .thread = ThreadNumber(),
                         .bytes = static_cast<uint32_t>(record.bytes.size()),
                         .call = record.call,
                         .has_message = !record.messages.empty()};
  const size_t arguments = ArgumentsSize(record.call);
  const size_t size = sizeof(header) + arguments + record.bytes.size();
  const MutexLock lock(mutex_);
  if (blocks_.empty() ||
      blocks_.back().capacity() - blocks_.back().size() < size) {
    blocks_.emplace_back().reserve(std::max(size, kBlockSize));
  }
  std::string& block = blocks_.back();
  Append(&header, sizeof(header), block);
  Append(record.arguments.data(), arguments, block);
  block += record.bytes;
  std::move(record.messages.begin(), record.messages.end(),
            std::back_inserter(messages_));
  return result;
}

Trace Recorder::recorded() const {
  Trace trace;
  std::map<int, int> threads;
  int line = 1;  // The header.
  const MutexLock lock(mutex_);
  auto message = messages_.begin();
  for (absl::string_view block : blocks_) {
    while (!block.empty()) {
      bool has_message = false;
      CallRecord record = Pop(block, has_message);
      if (has_message) record.messages.push_back(*message++);
      const int next = static_cast<int>(threads.size()) + 1;
      record.thread = threads.try_emplace(record.thread, next).first->second;
      trace.lines.push_back({++line, std::move(record)});
    }
  }
  return trace;
}

void Recorder::Clear() {
  const MutexLock lock(mutex_);
  blocks_.clear();
  messages_.clear();
}

}  // namespace net
