// SO_ATTACH_FILTER and its relatives: socket(7).

#include <linux/filter.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "fakes/kernel/options/bpf_filter.h"
#include "fakes/kernel/options/option_levels.h"
#include "fakes/kernel/options/option_values.h"
#include "fakes/kernel/options/options.h"
#include "fakes/kernel/user_memory.h"
#include "syscalls/sys_result.h"

namespace net::fake {

SysResult AttachFilter(const OptionCall& call, const OptionIn& in) {
  sock_fprog request = {};
  if (in.size() != sizeof(request)) return Error(EINVAL);
  if (!in.Read(&request, sizeof(request))) return Error(EFAULT);
  if (call.values.On(Slot::kLockFilter)) return Error(EPERM);
  if (request.filter == nullptr || request.len == 0 ||
      request.len > BPF_MAXINSNS) {
    return Error(EINVAL);
  }
  auto program = std::make_shared<std::vector<sock_filter>>(request.len);
  const size_t size = program->size() * sizeof(sock_filter);
  if (!CopyIn(program->data(), request.filter, size)) return Error(EFAULT);
  if (!IsValidFilter(*program)) return Error(EINVAL);
  call.values.filter = std::move(program);
  return Ok();
}

SysResult DetachFilter(const OptionCall& call) {
  if (call.values.On(Slot::kLockFilter)) return Error(EPERM);
  if (call.values.filter == nullptr) return Error(ENOENT);
  call.values.filter.reset();
  return Ok();
}

// The length counts instructions. With a length of 0, returns only how many
// there are.
SysResult GetFilter(const OptionCall& call, const OptionOut& out) {
  if (call.values.filter == nullptr) return out.PutWithLength(nullptr, 0, 0);
  const std::vector<sock_filter>& program = *call.values.filter;
  const auto count = static_cast<uint32_t>(program.size());
  if (out.room() == 0) return out.PutWithLength(nullptr, 0, count);
  if (out.room() < count) return Error(EINVAL);
  return out.PutWithLength(program.data(), count * sizeof(sock_filter), count);
}

}  // namespace net::fake
