#include "syscalls/sandbox/proc.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "syscalls/errors/error.h"

namespace net::sandbox {

absl::StatusOr<std::vector<int>> ListNumbers(const std::string& folder) {
  DIR* directory = opendir(folder.c_str());
  if (directory == nullptr) return ErrnoError(errno, folder);
  const absl::Cleanup close_directory = [directory] { closedir(directory); };
  std::vector<int> numbers;
  while (const dirent* entry = readdir(directory)) {
    int number = 0;
    if (!absl::SimpleAtoi(entry->d_name, &number)) continue;
    if (folder == "/proc/self/fd" && number == dirfd(directory)) continue;
    numbers.push_back(number);
  }
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return ErrnoError(errno, absl::StrCat("open ", path));
  const absl::Cleanup close_fd = [fd] { close(fd); };
  std::string text;
  std::array<char, 4096> buffer;
  while (true) {
    const ssize_t got = read(fd, buffer.data(), buffer.size());
    if (got < 0) return ErrnoError(errno, absl::StrCat("read ", path));
    if (got == 0) return text;
    text.append(buffer.data(), static_cast<size_t>(got));
  }
}

absl::Status WriteFile(const std::string& path, absl::string_view text) {
  const int fd = open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0) return ErrnoError(errno, path);
  const absl::Cleanup close_fd = [fd] { close(fd); };
  if (write(fd, text.data(), text.size()) < 0) return ErrnoError(errno, path);
  return absl::OkStatus();
}

absl::StatusOr<std::string> ReadLink(const std::string& path) {
  std::array<char, 4096> target = {};
  const ssize_t size = readlink(path.c_str(), target.data(), target.size());
  if (size < 0) return ErrnoError(errno, path);
  return std::string(target.data(), static_cast<size_t>(size));
}

std::string FirstLineOf(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

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

uint64_t SocketInode(const std::string& folder, int fd) {
  const auto target = ReadLink(absl::StrCat(folder, "/", fd));
  if (!target.ok()) return 0;
  absl::string_view link = *target;
  uint64_t inode = 0;
  if (absl::ConsumePrefix(&link, "socket:[") &&
      absl::ConsumeSuffix(&link, "]") && absl::SimpleAtoi(link, &inode)) {
    return inode;
  }
  return 0;
}

std::optional<int> DescriptorFlags(pid_t pid, int fd) {
  const std::string flags =
      FieldOf(absl::StrCat("/proc/", pid, "/fdinfo/", fd), "flags");
  if (flags.empty()) return std::nullopt;
  constexpr int kOctal = 8;
  return static_cast<int>(std::strtol(flags.c_str(), nullptr, kOctal));
}

}  // namespace net::sandbox
