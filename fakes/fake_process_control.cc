// fcntl(2) and ioctl(2) of a FakeProcess.

#include <fcntl.h>
#include <linux/fs.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdint>
#include <optional>

#include "absl/functional/function_ref.h"
#include "fakes/fake_process.h"
#include "fakes/kernel/descriptor_table.h"
#include "fakes/kernel/file.h"
#include "fakes/kernel/kernel.h"
#include "fakes/kernel/pipe.h"
#include "fakes/kernel/ports/interface_ioctl.h"
#include "fakes/kernel/socket.h"
#include "fakes/kernel/user_memory.h"
#include "syscalls/sys_result.h"

namespace net {
namespace {

using fake::Caller;
using fake::CopyIn;
using fake::CopyOut;
using fake::File;
using fake::FileOwner;
using fake::PipeFile;

// Commands and requests that may be newer than the libc headers.
constexpr int kDupFdQuery = 1027;
constexpr int kCreatedQuery = 1028;
constexpr uint64_t kStampNew = 0x80108906;
constexpr uint64_t kStampNsNew = 0x80108907;

constexpr int kBlockSize = 4096;

// Calls `call` when no splice(2) has the lock of the file, if that is a pipe.
SysResult WithLock(File& file, const Caller& caller,
                   absl::FunctionRef<SysResult()> call) {
  PipeFile* const pipe = file.AsPipe();
  if (pipe == nullptr) return call();
  const fake::FileRef ref(file, caller);
  const SysResult unlocked = pipe->AwaitUnlocked(caller);
  return unlocked.ok() ? call() : unlocked;
}

// --- The owner of a file's signals

// Returns whether there is such a process, thread (F_OWNER_TID) or process
// group. Programs know their IDs from getpid(2) and its like, which Syscalls
// does not have: the IDs are those of the real machine.
bool Exists(int type, pid_t id) {
  const pid_t target = type == F_OWNER_PGRP ? -id : id;
  return id > 0 && (kill(target, 0) == 0 || errno != ESRCH);
}

// F_SETOWN, FIOSETOWN: a negative ID is that of a process group.
SysResult SetOwner(File& file, int64_t who) {
  if (who == INT_MIN) return SysResult::Error(EINVAL);
  const int type = who < 0 ? F_OWNER_PGRP : F_OWNER_PID;
  const auto id = static_cast<pid_t>(who < 0 ? -who : who);
  if (id != 0 && !Exists(type, id)) return SysResult::Error(ESRCH);
  file.owner().type = type;
  file.owner().id = id;
  return SysResult::Ok();
}

int Owner(File& file) {
  const FileOwner& owner = file.owner();
  return owner.type == F_OWNER_PGRP ? -owner.id : owner.id;
}

SysResult SetOwnerEx(File& file, const void* user) {
  f_owner_ex owner = {};
  if (!CopyIn(&owner, user, sizeof(owner))) return SysResult::Error(EFAULT);
  const bool known = owner.type == F_OWNER_TID || owner.type == F_OWNER_PID ||
                     owner.type == F_OWNER_PGRP;
  if (!known) return SysResult::Error(EINVAL);
  if (owner.pid != 0 && !Exists(owner.type, owner.pid)) {
    return SysResult::Error(ESRCH);
  }
  file.owner().type = owner.type;
  file.owner().id = owner.pid;
  return SysResult::Ok();
}

SysResult GetOwnerEx(File& file, void* user) {
  f_owner_ex owner = {};
  owner.type = static_cast<decltype(owner.type)>(file.owner().type);
  owner.pid = file.owner().id;
  return CopyOut(user, &owner, sizeof(owner)) ? SysResult::Ok()
                                              : SysResult::Error(EFAULT);
}

SysResult SetOwnerSignal(File& file, intptr_t signal) {
  constexpr int kSignals = 64;
  if (signal < 0 || signal > kSignals) return SysResult::Error(EINVAL);
  file.owner().signal = static_cast<int>(signal);
  return SysResult::Ok();
}

// --- Record locks

bool IsOpenFileLock(int command) {
  return command == F_OFD_GETLK || command == F_OFD_SETLK ||
         command == F_OFD_SETLKW;
}

// Returns an errno if the range of a lock is not one, else 0. A length of 0
// reaches to the end; a negative one is before the start.
int CheckRange(const flock& lock) {
  // The position and the size of a file without contents are 0.
  const bool known = lock.l_whence == SEEK_SET || lock.l_whence == SEEK_CUR ||
                     lock.l_whence == SEEK_END;
  if (!known || lock.l_start < 0) return EINVAL;
  if (lock.l_len >= 0) {
    return lock.l_len > 0 && lock.l_start > LONG_MAX - (lock.l_len - 1)
               ? EOVERFLOW
               : 0;
  }
  return lock.l_start + lock.l_len < 0 ? EINVAL : 0;
}

// Every lock is granted, and is not kept: conflicts between processes are not
// modelled.
SysResult Lock(const File& file, int command, void* user) {
  flock lock = {};
  if (!CopyIn(&lock, user, sizeof(lock))) return SysResult::Error(EFAULT);
  const bool gets = command == F_GETLK || command == F_OFD_GETLK;
  const bool types = lock.l_type == F_RDLCK || lock.l_type == F_WRLCK;
  if (command == F_GETLK && !types) return SysResult::Error(EINVAL);
  const int error = CheckRange(lock);
  if (error != 0) return SysResult::Error(error);
  if (!types && lock.l_type != F_UNLCK) return SysResult::Error(EINVAL);
  if (IsOpenFileLock(command) && lock.l_pid != 0) {
    return SysResult::Error(EINVAL);
  }
  if (gets) {
    lock.l_type = F_UNLCK;
    return CopyOut(user, &lock, sizeof(lock)) ? SysResult::Ok()
                                              : SysResult::Error(EFAULT);
  }
  const int mode = file.access_mode();
  if ((lock.l_type == F_RDLCK && mode == O_WRONLY) ||
      (lock.l_type == F_WRLCK && mode == O_RDONLY)) {
    return SysResult::Error(EBADF);
  }
  return SysResult::Ok();
}

SysResult SetAsync(File& file, const int* user) {
  int on = 0;
  if (!CopyIn(&on, user, sizeof(on))) return SysResult::Error(EFAULT);
  if (on != 0 && !file.has_async()) return SysResult::Error(ENOTTY);
  const int others = file.other_flags() & ~O_ASYNC;
  file.set_other_flags(others | (on != 0 ? O_ASYNC : 0));
  return SysResult::Ok();
}

// F_SETFL
SysResult SetStatusFlags(File& file, int flags) {
  if ((flags & O_DIRECT) != 0 && !file.has_direct()) {
    return SysResult::Error(EINVAL);
  }
  int kept = flags & (O_APPEND | O_DIRECT | O_NOATIME);
  if (file.has_async()) kept |= flags & O_ASYNC;
  file.set_other_flags(kept);
  file.set_nonblocking((flags & O_NONBLOCK) != 0);
  return SysResult::Ok();
}

SysResult PutInt(int value, int* user) {
  return CopyOut(user, &value, sizeof(value)) ? SysResult::Ok()
                                              : SysResult::Error(EFAULT);
}

// Returns whether the time of the last packet is asked for.
bool IsStamp(uint64_t request) {
  return request == SIOCGSTAMP_OLD || request == SIOCGSTAMPNS_OLD ||
         request == kStampNew || request == kStampNsNew;
}

}  // namespace

SysResult FakeProcess::IsSameFile(int fd, int other) const {
  const File* const second = descriptors_->Get(other);
  if (second == nullptr) return SysResult::Error(EBADF);
  return SysResult::Ok(second == descriptors_->Get(fd) ? 1 : 0);
}

SysResult FakeProcess::DoFcntl(int fd, int command, intptr_t argument) {
  File* const file = descriptors_->Get(fd);
  if (file == nullptr) return SysResult::Error(EBADF);
  const int flags_before = file->status_flags();
  const SysResult result = Control(*file, fd, command, argument);
  if (result.ok() && has_strict_options()) {
    NoteFcntl(fd, command, argument, flags_before);
  }
  return result;
}

SysResult FakeProcess::Control(File& file, int fd, int command,
                               intptr_t argument) {
  // NOLINTNEXTLINE(performance-no-int-to-ptr): of some commands it is one
  auto* const user = reinterpret_cast<void*>(argument);
  switch (command) {
    case F_DUPFD:
    case F_DUPFD_CLOEXEC:
      if (argument < 0 || argument >= descriptors_->limit()) {
        return SysResult::Error(EINVAL);
      }
      return Duplicate(fd, static_cast<int>(argument),
                       command == F_DUPFD_CLOEXEC);
    case F_GETFD:
      return SysResult::Ok(descriptors_->close_on_exec(fd) ? FD_CLOEXEC : 0);
    case F_SETFD:
      descriptors_->set_close_on_exec(fd, (argument & FD_CLOEXEC) != 0);
      return SysResult::Ok();
    case F_GETFL:
      return SysResult::Ok(file.status_flags());
    case F_SETFL:
      return SetStatusFlags(file, static_cast<int>(argument));
    case F_SETOWN:
      return SetOwner(file, static_cast<int>(argument));
    case F_GETOWN:
      return SysResult::Ok(Owner(file));
    case F_SETOWN_EX:
      return SetOwnerEx(file, user);
    case F_GETOWN_EX:
      return GetOwnerEx(file, user);
    case F_SETSIG:
      return SetOwnerSignal(file, argument);
    case F_GETSIG:
      return SysResult::Ok(file.owner().signal);
    case F_GETLK:
    case F_SETLK:
    case F_SETLKW:
    case F_OFD_GETLK:
    case F_OFD_SETLK:
    case F_OFD_SETLKW:
      return Lock(file, command, user);
    case F_GETLEASE:
      return SysResult::Ok(F_UNLCK);
    case F_NOTIFY:
      // Only directories can be watched. Nothing can be removed from any file.
      return argument == 0 ? SysResult::Ok() : SysResult::Error(ENOTDIR);
    case kDupFdQuery:
      return IsSameFile(fd, static_cast<int>(argument));
    case kCreatedQuery:
      return SysResult::Ok(0);
    case F_GETPIPE_SZ:
    case F_SETPIPE_SZ:
      return WithLock(file, MakeCaller("fcntl", fd), [&] {
        return command == F_GETPIPE_SZ
                   ? file.PipeSize()
                   : file.SetPipeSize(static_cast<uint32_t>(argument));
      });
    default:
      return SysResult::Error(EINVAL);
  }
}

std::optional<SysResult> FakeProcess::SocketIoctl(fake::Socket& socket,
                                                  uint64_t request,
                                                  void* argument) const {
  auto* const user = static_cast<int*>(argument);
  switch (request) {
    case FIOSETOWN:
    case SIOCSPGRP: {
      int who = 0;
      if (!CopyIn(&who, user, sizeof(who))) return SysResult::Error(EFAULT);
      return SetOwner(socket, who);
    }
    case FIOGETOWN:
    case SIOCGPGRP:
      return PutInt(Owner(socket), user);
    default:
      break;
  }
  // A stream's packets leave no time behind (sk_stamp in Linux).
  if (IsStamp(request) && socket.domain() != AF_UNIX) {
    return SysResult::Error(ENOENT);
  }
  const std::optional<int> error =
      fake::InterfaceIoctl(host_.machine, socket.domain(), request, argument);
  if (!error.has_value()) return std::nullopt;
  return *error == 0 ? SysResult::Ok() : SysResult::Error(*error);
}

SysResult FakeProcess::DoIoctl(int fd, uint64_t request, intptr_t argument) {
  File* const file = descriptors_->Get(fd);
  if (file == nullptr) return SysResult::Error(EBADF);
  const SysResult result = ControlDevice(*file, fd, request, argument);
  if (result.ok() && has_strict_options()) NoteIoctl(fd, request);
  return result;
}

SysResult FakeProcess::ControlDevice(File& file, int fd, uint64_t request,
                                     intptr_t argument) {
  int value = 0;
  // NOLINTNEXTLINE(performance-no-int-to-ptr): of most requests it is one
  auto* const user = reinterpret_cast<int*>(argument);
  switch (request) {
    case FIOCLEX:
    case FIONCLEX:
      descriptors_->set_close_on_exec(fd, request == FIOCLEX);
      return SysResult::Ok();
    case FIONBIO:
      if (!CopyIn(&value, user, sizeof(value))) {
        return SysResult::Error(EFAULT);
      }
      file.set_nonblocking(value != 0);
      return SysResult::Ok();
    case FIOASYNC:
      return SetAsync(file, user);
    case FIGETBSZ:
      return PutInt(kBlockSize, user);
    default:
      break;
  }
  if (fake::Socket* const socket = file.AsSocket()) {
    if (const auto result = SocketIoctl(*socket, request, user)) return *result;
  }
  const auto ask = [&] { return file.Ioctl(request, &value); };
  const SysResult result = request == FIONREAD
                               ? WithLock(file, MakeCaller("ioctl", fd), ask)
                               : ask();
  return result.ok() ? PutInt(value, user) : result;
}

}  // namespace net
