#include "fakes/preload/program_file.h"

#include <elf.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"

namespace net::preload {
namespace {

// A script's interpreter can be a script, as execve(2) allows.
constexpr int kMaxScripts = 4;

bool IsExecutableFile(const std::string& path) {
  struct stat status = {};
  return stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) &&
         access(path.c_str(), X_OK) == 0;
}

// Returns the bytes at an offset as a structure; nullopt beyond the end.
template <typename Structure>
std::optional<Structure> At(absl::string_view bytes, size_t offset) {
  Structure result;
  if (offset > bytes.size() || sizeof(result) > bytes.size() - offset) {
    return std::nullopt;
  }
  std::memcpy(&result, bytes.data() + offset, sizeof(result));
  return result;
}

absl::Status Unsuitable(const std::string& path, absl::string_view reason) {
  return absl::FailedPreconditionError(absl::StrCat(path, " ", reason));
}

// Returns whether the code makes the system call socket(2) by itself: whether
// it sets eax to the number, and executes `syscall` soon after.
bool MakesRawSocket(absl::string_view code) {
  static_assert(SYS_socket == 0x29);
  constexpr absl::string_view kNumberToEax("\xb8\x29\0\0\0", 5);
  constexpr absl::string_view kSyscall("\x0f\x05", 2);
  constexpr size_t kSoon = 64;  // With the other registers' instructions.
  for (size_t at = code.find(kNumberToEax); at != absl::string_view::npos;
       at = code.find(kNumberToEax, at + 1)) {
    if (absl::StrContains(code.substr(at, kSoon), kSyscall)) return true;
  }
  return false;
}

absl::Status CheckElf(const std::string& path, absl::string_view bytes) {
  const std::optional<Elf64_Ehdr> header = At<Elf64_Ehdr>(bytes, 0);
  if (!header.has_value() ||
      std::memcmp(header->e_ident, ELFMAG, SELFMAG) != 0) {
    return Unsuitable(path, "is neither an ELF program nor a script");
  }
  if (header->e_ident[EI_CLASS] != ELFCLASS64 ||
      header->e_machine != EM_X86_64) {
    return Unsuitable(path, "is not a program for x86-64");
  }
  bool has_linker = false;
  bool makes_raw_socket = false;
  for (size_t i = 0; i < header->e_phnum; ++i) {
    const std::optional<Elf64_Phdr> segment =
        At<Elf64_Phdr>(bytes, header->e_phoff + i * header->e_phentsize);
    if (!segment.has_value()) continue;
    has_linker |= segment->p_type == PT_INTERP;
    const bool is_code =
        segment->p_type == PT_LOAD && (segment->p_flags & PF_X) != 0;
    makes_raw_socket |=
        is_code && segment->p_offset <= bytes.size() &&
        MakesRawSocket(bytes.substr(segment->p_offset, segment->p_filesz));
  }
  // Go's linker writes this note.
  if (absl::StrContains(bytes, absl::string_view("Go\0\0", 4)) &&
      absl::StrContains(bytes, "Go build ID:")) {
    return Unsuitable(path,
                      "is a Go program: it makes its system calls itself, so "
                      "no library can replace them");
  }
  if (!has_linker) {
    return Unsuitable(path,
                      "is linked statically: no library can be loaded in "
                      "front of it");
  }
  if (makes_raw_socket) {
    return Unsuitable(path,
                      "makes the system call socket(2) itself, so no library "
                      "can replace it");
  }
  return absl::OkStatus();
}

}  // namespace

std::string FindProgram(const std::string& command) {
  if (absl::StrContains(command, '/')) {
    return IsExecutableFile(command) ? command : "";
  }
  const char* const path = getenv("PATH");
  for (const absl::string_view folder :
       absl::StrSplit(path == nullptr ? "/usr/bin:/bin" : path, ':')) {
    std::string file =
        absl::StrCat(folder.empty() ? "." : folder, "/", command);
    if (IsExecutableFile(file)) return file;
  }
  return "";
}

absl::Status CheckProgram(const std::string& path) {
  std::string file = path;
  for (int i = 0; i < kMaxScripts; ++i) {
    struct stat status = {};
    if (stat(file.c_str(), &status) == 0 &&
        ((status.st_mode & S_ISUID) != 0 || (status.st_mode & S_ISGID) != 0) &&
        geteuid() != 0) {
      return Unsuitable(file,
                        "is set-user-ID or set-group-ID: the dynamic linker "
                        "ignores LD_PRELOAD for it");
    }
    std::ostringstream content;
    content << std::ifstream(file, std::ios::binary).rdbuf();
    const std::string bytes = content.str();
    absl::string_view line =
        absl::string_view(bytes).substr(0, bytes.find('\n'));
    if (!absl::ConsumePrefix(&line, "#!")) return CheckElf(file, bytes);
    std::string interpreter;
    for (const absl::string_view word :
         absl::StrSplit(line, ' ', absl::SkipEmpty())) {
      // "#!/usr/bin/env NAME" runs NAME.
      if (absl::EndsWith(word, "/env") || absl::StartsWith(word, "-")) continue;
      interpreter = std::string(word);
      break;
    }
    file = FindProgram(interpreter);
    if (file.empty()) {
      return Unsuitable(path, absl::StrCat("has the interpreter ", interpreter,
                                           ", which is not there"));
    }
  }
  return Unsuitable(path, "is a script of a script of a script");
}

}  // namespace net::preload
