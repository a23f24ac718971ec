#include "syscalls/sandbox/capabilities.h"

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/types/span.h"
#include "syscalls/errors/error.h"

namespace net::sandbox {
namespace {

// The sets of all capabilities, 32 in each part.
using Parts = absl::Span<__user_cap_data_struct>;

absl::Status Change(absl::FunctionRef<void(Parts)> change) {
  __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3,
                                     .pid = 0};
  __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {};
  if (syscall(SYS_capget, &header, data) != 0) {
    return ErrnoError(errno, "capget");
  }
  change(absl::MakeSpan(data));
  if (syscall(SYS_capset, &header, data) != 0) {
    return ErrnoError(errno, "capset");
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status DropCapability(int capability) {
  return Change([capability](Parts parts) {
    parts[static_cast<size_t>(CAP_TO_INDEX(capability))].effective &=
        ~CAP_TO_MASK(capability);
  });
}

absl::Status DropCapabilities() {
  return Change([](Parts parts) {
    for (__user_cap_data_struct& part : parts) part.effective = 0;
  });
}

absl::Status RestoreCapabilities() {
  return Change([](Parts parts) {
    for (__user_cap_data_struct& part : parts) part.effective = part.permitted;
  });
}

absl::Status DropCapabilityForExec(int capability) {
  if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0) {
    return ErrnoError(errno, "PR_CAPBSET_DROP");
  }
  return absl::OkStatus();
}

}  // namespace net::sandbox
