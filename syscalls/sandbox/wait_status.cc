#include "syscalls/sandbox/wait_status.h"

#include <sys/wait.h>

#include <csignal>
#include <cstring>
#include <string>

#include "absl/strings/str_cat.h"

namespace net::sandbox {

std::string DescribeWaitStatus(int status) {
  if (WIFSIGNALED(status)) {
    const int signal = WTERMSIG(status);
    return absl::StrCat("killed by SIG", sigabbrev_np(signal), " (",
                        sigdescr_np(signal), ")");
  }
  return absl::StrCat("exited with status ", WEXITSTATUS(status));
}

}  // namespace net::sandbox
