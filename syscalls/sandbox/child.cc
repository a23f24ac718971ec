#include "syscalls/sandbox/child.h"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <set>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "syscalls/errors/error.h"
#include "syscalls/sandbox/process_tree.h"

namespace net::sandbox {
namespace {

// The children that ForkChild() has made and ReapChild() has not reaped.
std::set<pid_t>& OwnChildren() {
  static auto& children = *new std::set<pid_t>;
  return children;
}

}  // namespace

absl::StatusOr<pid_t> ForkChild() {
  std::fflush(nullptr);  // Else the child would print what is buffered here.
  const pid_t child = fork();
  if (child < 0) return ErrnoError(errno, "fork");
  if (child == 0) {
    setpgid(0, 0);
    OwnChildren().clear();
  } else {
    // Both parent and child do this, so it is done whichever runs first.
    setpgid(child, child);
    OwnChildren().insert(child);
  }
  return child;
}

int ReapChild(pid_t child) {
  siginfo_t info = {};
  // It is a child that nobody else reaps: only a signal can interrupt this.
  while (waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT) !=
             0 &&
         errno == EINTR) {
  }
  kill(-child, SIGKILL);
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  OwnChildren().erase(child);
  return status;
}

void KillOtherChildren(absl::Span<const pid_t> spared) {
  // The children of a child that dies become children of this process.
  while (true) {
    bool found = false;
    for (const pid_t child : ChildrenOf(getpid())) {
      const bool is_spared =
          OwnChildren().contains(child) ||
          std::find(spared.begin(), spared.end(), child) != spared.end();
      if (is_spared) continue;
      found = true;
      kill(child, SIGKILL);
      while (waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
      }
    }
    if (!found) return;
  }
}

Subreaper::Subreaper() : spared_(ChildrenOf(getpid())) {
  prctl(PR_GET_CHILD_SUBREAPER, &before_);
  prctl(PR_SET_CHILD_SUBREAPER, 1);
}

Subreaper::~Subreaper() { prctl(PR_SET_CHILD_SUBREAPER, before_); }

}  // namespace net::sandbox
