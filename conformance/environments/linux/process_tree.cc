#include "conformance/environments/linux/process_tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/types/span.h"
#include "conformance/environments/linux/harness_error.h"

namespace net::conformance {
namespace {

// The children that ForkChild() has made and ReapChild() has not reaped.
std::set<pid_t>& OwnChildren() {
  static auto& children = *new std::set<pid_t>;
  return children;
}

// The names in a folder of /proc that are numbers.
std::vector<pid_t> NumbersIn(const std::string& folder) {
  std::vector<pid_t> numbers;
  DIR* directory = opendir(folder.c_str());
  if (directory == nullptr) return numbers;
  const absl::Cleanup close_directory = [directory] { closedir(directory); };
  while (const dirent* entry = readdir(directory)) {
    pid_t number = 0;
    if (absl::SimpleAtoi(entry->d_name, &number)) numbers.push_back(number);
  }
  return numbers;
}

// The rest of the line that begins with "NAME:\t" in a file of /proc; "" if
// there is none.
std::string FieldOf(const std::string& path, absl::string_view name) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    absl::string_view rest = line;
    if (absl::ConsumePrefix(&rest, absl::StrCat(name, ":\t"))) {
      return std::string(rest);
    }
  }
  return "";
}

std::string StatusOf(pid_t pid, absl::string_view name) {
  return FieldOf(absl::StrCat("/proc/", pid, "/status"), name);
}

// For a kernel without CONFIG_PROC_CHILDREN.
std::vector<pid_t> ChildrenByTheirParents(pid_t pid) {
  std::vector<pid_t> children;
  for (const pid_t other : NumbersIn("/proc")) {
    if (StatusOf(other, "PPid") == absl::StrCat(pid)) {
      children.push_back(other);
    }
  }
  return children;
}

}  // namespace

std::vector<pid_t> AllProcesses() { return NumbersIn("/proc"); }

std::vector<pid_t> ChildrenOf(pid_t pid) {
  static const bool has_children_files =
      access("/proc/thread-self/children", R_OK) == 0;
  if (!has_children_files) return ChildrenByTheirParents(pid);
  std::vector<pid_t> children;
  const std::string folder = absl::StrCat("/proc/", pid, "/task");
  for (const pid_t thread : NumbersIn(folder)) {
    std::ifstream file(absl::StrCat(folder, "/", thread, "/children"));
    for (pid_t child = 0; file >> child;) children.push_back(child);
  }
  return children;
}

std::vector<pid_t> DescendantsOf(pid_t pid) {
  std::vector<pid_t> descendants = ChildrenOf(pid);
  for (size_t i = 0; i < descendants.size(); ++i) {
    const std::vector<pid_t> children = ChildrenOf(descendants[i]);
    descendants.insert(descendants.end(), children.begin(), children.end());
  }
  return descendants;
}

std::vector<pid_t> NumbersOf(pid_t pid) {
  std::vector<pid_t> numbers;
  const std::string words = StatusOf(pid, "NSpid");
  for (const absl::string_view word : absl::StrSplit(words, '\t')) {
    pid_t number = 0;
    if (absl::SimpleAtoi(word, &number)) numbers.push_back(number);
  }
  return numbers;
}

bool IsAlive(pid_t pid) {
  const std::string state = StatusOf(pid, "State");
  return !state.empty() && state[0] != 'Z' && state[0] != 'X';
}

std::string NameOf(pid_t pid) {
  std::ifstream file(absl::StrCat("/proc/", pid, "/comm"));
  std::string name;
  std::getline(file, name);
  return name;
}

std::vector<OpenFile> OpenFilesOf(pid_t pid) {
  std::vector<OpenFile> files;
  const std::string folder = absl::StrCat("/proc/", pid, "/");
  for (const int fd : NumbersIn(folder + "fd")) {
    struct stat file = {};
    if (stat(absl::StrCat(folder, "fd/", fd).c_str(), &file) != 0) continue;
    const std::string flags =
        FieldOf(absl::StrCat(folder, "fdinfo/", fd), "flags");
    if (flags.empty()) continue;
    // The last two bits of an octal number.
    const int mode = (flags.back() - '0') & O_ACCMODE;
    files.push_back({.device = file.st_dev,
                     .inode = file.st_ino,
                     .can_read = mode != O_WRONLY,
                     .can_write = mode != O_RDONLY});
  }
  return files;
}

pid_t ForkChild() {
  const auto child = static_cast<pid_t>(Checked(fork(), "fork"));
  if (child == 0) {
    OwnChildren().clear();
  } else {
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

}  // namespace net::conformance
