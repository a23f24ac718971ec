// The parts of FakeProcess that report uses of options without effect
// (FakeKernel::StrictOptions()).

#include <fcntl.h>
#include <sys/socket.h>

#include <csignal>
#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "fakes/fake_process.h"
#include "fakes/kernel/control_messages.h"
#include "fakes/kernel/descriptor_table.h"
#include "fakes/kernel/file.h"
#include "fakes/kernel/kernel.h"
#include "fakes/kernel/options/without_effect.h"

namespace net {

using fake::OptionKind;

bool FakeProcess::has_strict_options() const {
  return kernel_.strict_options.enabled();
}

void FakeProcess::NoteOption(OptionKind kind, int level, int64_t name,
                             uint32_t value, absl::string_view call, int fd) {
  if (!has_strict_options()) return;
  const fake::AcceptedOption* const option =
      fake::FindWithoutEffect(kind, level, name, value);
  if (option == nullptr) return;
  const fake::File* const file = descriptors_->Get(fd);
  std::string where = absl::StrCat("process \"", name_, "\", ", call);
  if (file != nullptr) {
    absl::StrAppend(&where, " on descriptor ", fd, " (", file->Describe(), ")");
  }
  kernel_.strict_options.Add(absl::StrCat(
      where, ": ", option->text, " is accepted, without effect here, because ",
      option->reason, " (docs/OPTIONS.md)"));
}

void FakeProcess::NoteMask(const sigset_t* mask, absl::string_view call) {
  if (mask != nullptr) NoteOption(OptionKind::kArgument, 0, 0, 1, call, -1);
}

void FakeProcess::NoteFcntl(int fd, int command, intptr_t argument,
                            int flags_before) {
  if (command != F_SETFL) {
    NoteOption(OptionKind::kFcntlCommand, 0, command,
               static_cast<uint32_t>(argument), "fcntl", fd);
    return;
  }
  for (const int flag : {O_ASYNC, O_DIRECT}) {
    if ((argument & flag) == 0 || (flags_before & flag) != 0) continue;
    NoteOption(OptionKind::kFileStatusFlag, 0, flag, 1, "fcntl", fd);
  }
}

void FakeProcess::NoteMessage(int fd, int flags, absl::string_view call) {
  NoteOption(OptionKind::kMessageFlag, 0, flags & MSG_EOR, 1, call, fd);
}

void FakeProcess::NoteControl(int fd, const fake::ControlMessages& messages) {
  messages.ForEach([&](const fake::ControlMessage& message) {
    NoteOption(OptionKind::kControlMessage, message.level, message.type,
               message.value(), "sendmsg", fd);
  });
}

void FakeProcess::NoteIoctl(int fd, uint64_t request) {
  NoteOption(OptionKind::kIoctlRequest, 0, static_cast<int64_t>(request), 1,
             "ioctl", fd);
}

}  // namespace net
