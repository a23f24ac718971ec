#include "syscalls/sandbox/process_tree.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstddef>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "syscalls/sandbox/proc.h"

namespace net::sandbox {
namespace {

std::vector<int> NumbersIn(const std::string& folder) {
  return ListNumbers(folder).value_or(std::vector<int>());
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
  return FirstLineOf(absl::StrCat("/proc/", pid, "/comm"));
}

std::vector<OpenFile> OpenFilesOf(pid_t pid) {
  std::vector<OpenFile> files;
  const std::string folder = absl::StrCat("/proc/", pid, "/fd");
  for (const int fd : NumbersIn(folder)) {
    struct stat file = {};
    if (stat(absl::StrCat(folder, "/", fd).c_str(), &file) != 0) continue;
    const std::optional<int> flags = DescriptorFlags(pid, fd);
    if (!flags.has_value()) continue;
    const int mode = *flags & O_ACCMODE;
    files.push_back({.device = file.st_dev,
                     .inode = file.st_ino,
                     .can_read = mode != O_WRONLY,
                     .can_write = mode != O_RDONLY});
  }
  return files;
}

}  // namespace net::sandbox
