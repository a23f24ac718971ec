#include "fakes/fake_process.h"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "fakes/fake_kernel.h"
#include "fakes/kernel/descriptor_table.h"
#include "fakes/kernel/event_counter.h"
#include "fakes/kernel/file.h"
#include "fakes/kernel/kernel.h"
#include "fakes/kernel/kernel_observer.h"
#include "fakes/kernel/null_device.h"
#include "fakes/kernel/pipe.h"
#include "fakes/kernel/socket.h"
#include "fakes/kernel/tcp/receive_side.h"
#include "fakes/kernel/tcp/tcp_socket.h"
#include "fakes/kernel/user_memory.h"
#include "syscalls/sys_result.h"

// Processes and descriptors. The other calls are in files of their own:
//   fake_process_sockets.cc   sockets
//   fake_process_data.cc      moving bytes; and
//   fake_process_splice.cc    sendfile(2) and splice(2)
//   fake_process_poll.cc      waiting for several descriptors; and
//   fake_process_select.cc    select(2)
//   fake_process_control.cc   fcntl(2) and ioctl(2)
//   fake_process_time.cc      clocks and timerfds

namespace net {

using fake::Caller;
using fake::CopyOut;
using fake::DescriptorTable;
using fake::File;
using fake::KernelLock;

FakeProcess::FakeProcess(FakeKernel& owner, fake::Kernel& kernel,
                         fake::Host& host, const FakeProcessOptions& options)
    : owner_(owner),
      kernel_(kernel),
      host_(host),
      name_(options.name),
      uid_(options.uid),
      capabilities_(options.capabilities),
      raises_sigpipe_(options.raises_sigpipe),
      descriptors_(std::make_unique<DescriptorTable>(
          options.nofile_limit, options.lowest_descriptor)) {
  if constexpr (fake::kChecksInvariants) {
    kernel.observer->OnProcess(*descriptors_);
  }
  if (!options.standard_descriptors) return;
  auto* const null_device = new fake::NullDevice;
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
    descriptors_->SetInitial(fd, *null_device);
  }
}

FakeProcess::~FakeProcess() = default;

Caller FakeProcess::MakeCaller(absl::string_view call, int fd) {
  return {.site = {.process = name_, .call = call, .fd = fd},
          .uid = uid_,
          .may_bind_privileged_ports = capabilities_.net_bind_service,
          .net_admin = capabilities_.net_admin,
          .exits = false,
          .sigpipes = &sigpipes_,
          .raises_sigpipe = raises_sigpipe_};
}

FakeProcess& FakeProcess::Fork(absl::string_view name) {
  std::unique_ptr<FakeProcess> child;
  {
    const KernelLock lock(kernel_);
    child.reset(new FakeProcess(owner_, kernel_, host_,
                                {.name = std::string(name),
                                 .uid = uid_,
                                 .capabilities = capabilities_,
                                 .nofile_limit = descriptors_->limit(),
                                 .lowest_descriptor = descriptors_->lowest(),
                                 .standard_descriptors = false,
                                 .raises_sigpipe = raises_sigpipe_}));
    descriptors_->CopyTo(*child->descriptors_);
  }
  return owner_.Adopt(std::move(child));
}

void FakeProcess::CloseAll(bool only_close_on_exec) {
  const KernelLock lock(kernel_);
  Caller caller = MakeCaller("exit", -1);
  caller.exits = !only_close_on_exec;
  for (const int fd : descriptors_->Open()) {
    if (only_close_on_exec && !descriptors_->close_on_exec(fd)) continue;
    descriptors_->Remove(fd)->Unref(caller);
  }
}

SysResult FakeProcess::DuplicateFrom(const FakeProcess& other, int fd,
                                     int number, bool close_on_exec) {
  const KernelLock lock(kernel_);
  fake::File* const file = other.descriptors_->Get(fd);
  if (file == nullptr) return SysResult::Error(EBADF);
  if (number < 0) number = descriptors_->LowestFree();
  if (number < 0) return SysResult::Error(EMFILE);
  const fake::Caller caller = MakeCaller("recvmsg", number);
  const fake::FileRef ref(*file, caller);
  if (descriptors_->Get(number) != nullptr) {
    descriptors_->Remove(number)->Unref(caller);
  }
  descriptors_->Set(number, *file, close_on_exec);
  return SysResult::Ok(number);
}

FakeProcess::StreamPosition FakeProcess::PositionOf(int fd) const {
  const KernelLock lock(kernel_);
  const auto* const socket =
      dynamic_cast<const fake::TcpSocket*>(descriptors_->Get(fd));
  if (socket == nullptr || socket->send_side().written() == 0) return {};
  const fake::ReceiveSide& in = socket->receive_side();
  // The SYN has the first number.
  return {.written = socket->send_side().written() - 1,
          .read = in.arrived() - in.ready()};
}

void FakeProcess::Exec() { CloseAll(/*only_close_on_exec=*/true); }
void FakeProcess::Exit() { CloseAll(/*only_close_on_exec=*/false); }

std::vector<int> FakeProcess::OpenDescriptors() const {
  const KernelLock lock(kernel_);
  return descriptors_->OpenedByProcess();
}

std::vector<int> FakeProcess::AllDescriptors() const {
  const KernelLock lock(kernel_);
  return descriptors_->Open();
}

std::string FakeProcess::DescribeDescriptor(int fd) const {
  const KernelLock lock(kernel_);
  const File* const file = descriptors_->Get(fd);
  return file == nullptr ? "not open" : file->Describe();
}

void FakeProcess::set_nofile_limit(int limit) {
  const KernelLock lock(kernel_);
  descriptors_->set_limit(limit);
}

int FakeProcess::nofile_limit() const {
  const KernelLock lock(kernel_);
  return descriptors_->limit();
}

void FakeProcess::set_uid(uid_t uid) {
  const KernelLock lock(kernel_);
  uid_ = uid;
}

void FakeProcess::set_capabilities(const FakeCapabilities& capabilities) {
  const KernelLock lock(kernel_);
  capabilities_ = capabilities;
}

FakeCapabilities FakeProcess::capabilities() const {
  const KernelLock lock(kernel_);
  return capabilities_;
}

int FakeProcess::sigpipes() const {
  const KernelLock lock(kernel_);
  return sigpipes_;
}

fake::Socket* FakeProcess::FindSocket(int fd, SysResult* error) const {
  return descriptors_->GetSocket(fd, error);
}

bool FakeProcess::IsFileTableFull() const {
  return kernel_.open_files >= host_.machine.sysctls().file_max &&
         !capabilities_.sys_admin;
}

SysResult FakeProcess::Install(File& file, bool close_on_exec) {
  const int fd = descriptors_->LowestFree();
  const bool table_full = IsFileTableFull();
  ++kernel_.open_files;
  if (fd < 0 || table_full) {
    file.Ref();
    file.Unref(MakeCaller("close", -1));
    return SysResult::Error(fd < 0 ? EMFILE : ENFILE);
  }
  descriptors_->Set(fd, file, close_on_exec);
  return SysResult::Ok(fd);
}

SysResult FakeProcess::DoClose(int fd) {
  if (descriptors_->Get(fd) == nullptr) return SysResult::Error(EBADF);
  descriptors_->Remove(fd)->Unref(MakeCaller("close", fd));
  return SysResult::Ok();
}

SysResult FakeProcess::Duplicate(int fd, int lowest, bool close_on_exec) {
  File* const file = descriptors_->Get(fd);
  const int copy = descriptors_->LowestFree(lowest);
  if (copy < 0) return SysResult::Error(EMFILE);
  descriptors_->Set(copy, *file, close_on_exec);
  return SysResult::Ok(copy);
}

SysResult FakeProcess::DoDup(int fd) {
  if (descriptors_->Get(fd) == nullptr) return SysResult::Error(EBADF);
  return Duplicate(fd, 0, /*close_on_exec=*/false);
}

SysResult FakeProcess::DoDup3(int old_fd, int new_fd, int flags) {
  if ((flags & ~O_CLOEXEC) != 0 || old_fd == new_fd) {
    return SysResult::Error(EINVAL);
  }
  if (new_fd < 0 || new_fd >= descriptors_->limit()) {
    return SysResult::Error(EBADF);
  }
  File* const file = descriptors_->Get(old_fd);
  if (file == nullptr) return SysResult::Error(EBADF);
  if (descriptors_->IsReserved(new_fd)) return SysResult::Error(EBUSY);
  // The number has its new file before the old file is closed, which may take
  // time.
  File* const replaced = descriptors_->Get(new_fd) == nullptr
                             ? nullptr
                             : descriptors_->Remove(new_fd);
  descriptors_->Set(new_fd, *file, (flags & O_CLOEXEC) != 0);
  if (replaced != nullptr) replaced->Unref(MakeCaller("dup3", new_fd));
  return SysResult::Ok(new_fd);
}

SysResult FakeProcess::DoPipe2(int fds[2], int flags) {
  if ((flags & ~(O_CLOEXEC | O_NONBLOCK)) != 0) {
    return SysResult::Error(EINVAL);
  }
  const fake::PipeEnds ends = fake::NewPipe(kernel_);
  ends.read->set_nonblocking((flags & O_NONBLOCK) != 0);
  ends.write->set_nonblocking((flags & O_NONBLOCK) != 0);
  const bool close_on_exec = (flags & O_CLOEXEC) != 0;
  const SysResult read = Install(*ends.read, close_on_exec);
  const SysResult write = Install(*ends.write, close_on_exec);
  if (!write.ok() || !read.ok()) {
    if (read.ok()) {
      descriptors_->Remove(read.fd())->Unref(MakeCaller("pipe2", -1));
    }
    return read.ok() ? write : read;
  }
  const int made[2] = {read.fd(), write.fd()};
  if (CopyOut(fds, made, sizeof(made))) return SysResult::Ok();
  for (const int fd : made) {
    descriptors_->Remove(fd)->Unref(MakeCaller("pipe2", -1));
  }
  return SysResult::Error(EFAULT);
}

SysResult FakeProcess::DoEventFd(unsigned int initial, int flags) {
  if ((flags & ~(EFD_CLOEXEC | EFD_NONBLOCK | EFD_SEMAPHORE)) != 0) {
    return SysResult::Error(EINVAL);
  }
  auto* const counter =
      new fake::EventCounter(kernel_, initial, (flags & EFD_SEMAPHORE) != 0);
  counter->set_nonblocking((flags & EFD_NONBLOCK) != 0);
  // NOLINTNEXTLINE(clang-analyzer-cplusplus.NewDeleteLeaks): Install() owns it
  return Install(*counter, (flags & EFD_CLOEXEC) != 0);
}

}  // namespace net
