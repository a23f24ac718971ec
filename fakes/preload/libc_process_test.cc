#include "fakes/preload/libc_process.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <thread>

#include "absl/time/time.h"
#include "fakes/fake_kernel.h"
#include "fakes/faults/fault_injector.h"
#include "fakes/faults/fault_plan.h"
#include "fakes/preload/testdata/epoll_server.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

// The tests call the C library, as the server does.

namespace {

using testing::IsEmpty;

sockaddr_in Loopback(uint16_t port) {
  sockaddr_in addr = {};
  addr.sin_family = AF_INET;
  addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  addr.sin_port = htons(port);
  return addr;
}

int ConnectTo(uint16_t port) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  const sockaddr_in addr = Loopback(port);
  EXPECT_EQ(connect(fd, reinterpret_cast<const sockaddr*>(&addr), sizeof(addr)),
            0)
      << "errno " << errno;
  return fd;
}

// Returns what the server sends until it closes the connection.
std::string ReadAll(int fd) {
  std::string all;
  std::array<char, 64> data = {};
  ssize_t size = 0;
  while ((size = read(fd, data.data(), data.size())) > 0) {
    all.append(data.data(), static_cast<size_t>(size));
  }
  EXPECT_EQ(size, 0) << "errno " << errno;
  return all;
}

// Listens on a port of the system's choice, and stores it in `port`.
int ListenOn(uint16_t& port) {
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  EXPECT_EQ(listen(listener, 4), 0);
  sockaddr_in addr = {};
  socklen_t size = sizeof(addr);
  EXPECT_EQ(getsockname(listener, reinterpret_cast<sockaddr*>(&addr), &size),
            0);
  port = ntohs(addr.sin_port);
  return listener;
}

// Returns SO_DOMAIN of Linux's descriptor. AF_UNIX is that of a placeholder.
int DomainOnLinux(int fd) {
  int domain = 0;
  socklen_t size = sizeof(domain);
  EXPECT_EQ(syscall(SYS_getsockopt, fd, SOL_SOCKET, SO_DOMAIN, &domain, &size),
            0);
  return domain;
}

// [sample]
TEST(EpollServer, AcceptsWhenDescriptorsAreFreeAgain) {
  net::FakeKernel kernel;
  net::LibcProcess server_process(kernel, {.name = "server"});
  net::LibcProcess client_process(kernel, {.name = "client"});
  net::FaultInjector faults(server_process.syscalls());
  faults.Arm(*net::ParseFaultPlan("accept4=EMFILE*2"));
  const net::FakeKernel::Participant self(kernel, "client");

  const net::LibcProcess::Scope in_server(server_process, faults);
  EpollServer server;  // Calls socket(2), epoll_create1(2), ...
  std::thread thread([&] { server.Run(); });  // Takes part, as a server.
  {
    const net::LibcProcess::Scope in_client(client_process);
    const int fd = ConnectTo(server.port());
    EXPECT_EQ(write(fd, "hello\n", 6), 6);
    EXPECT_EQ(ReadAll(fd), "HELLO\n");  // Until it has been idle for a minute.
    close(fd);
  }
  server.Stop();
  thread.join();

  EXPECT_THAT(faults.Unmatched(), IsEmpty());
  EXPECT_GE(kernel.Now(), absl::Seconds(60));
}
// [/sample]

class LibcProcessTest : public testing::Test {
 protected:
  net::FakeKernel kernel_;
  const net::FakeKernel::Participant self_{kernel_, "test"};
  net::LibcProcess process_{kernel_, {.name = "one"}};
};

TEST_F(LibcProcessTest, CallsOutsideOfAScopeAreLinuxs) {
  const int before = socket(AF_INET, SOCK_STREAM, 0);
  int within = -1;
  {
    const net::LibcProcess::Scope scope(process_);
    within = socket(AF_INET, SOCK_STREAM, 0);
    EXPECT_EQ(DomainOnLinux(within), AF_UNIX);
  }
  const int after = socket(AF_INET, SOCK_STREAM, 0);
  EXPECT_EQ(DomainOnLinux(before), AF_INET);
  EXPECT_EQ(DomainOnLinux(after), AF_INET);
  EXPECT_THAT(process_.process().OpenDescriptors(),
              testing::ElementsAre(within));
  EXPECT_EQ(close(before), 0);
  EXPECT_EQ(close(after), 0);
}

TEST_F(LibcProcessTest, TheInnermostScopeCounts) {
  net::LibcProcess other(kernel_, {.name = "other"});
  const net::LibcProcess::Scope scope(process_);
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  {
    const net::LibcProcess::Scope in_other(other);
    EXPECT_EQ(listen(fd, 1), -1);
    EXPECT_EQ(errno, EBADF);
    EXPECT_GE(socket(AF_INET, SOCK_STREAM, 0), 0);
  }
  EXPECT_EQ(other.process().OpenDescriptors().size(), 1U);
  EXPECT_EQ(listen(fd, 1), 0);
}

TEST_F(LibcProcessTest, ThreadsOfAScopeTakePartInItsProcess) {
  const net::LibcProcess::Scope scope(process_);
  uint16_t port = 0;
  const int listener = ListenOn(port);
  std::thread thread([&] {
    std::thread inner([&] {
      std::this_thread::sleep_for(std::chrono::hours(1));
      close(ConnectTo(port));
    });
    inner.join();
  });
  const int accepted = accept(listener, nullptr, nullptr);
  EXPECT_GE(accepted, 0);
  EXPECT_EQ(ReadAll(accepted), "");
  thread.join();
  EXPECT_GE(kernel_.Now(), absl::Hours(1));
}

TEST_F(LibcProcessTest, AThreadOfTheKernelIsInNoScopeAtFirst) {
  const net::LibcProcess::Scope scope(process_);
  int domain = 0;
  net::FakeKernel::Thread thread(kernel_, "other", [&] {
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    domain = DomainOnLinux(fd);
    EXPECT_EQ(close(fd), 0);
  });
  thread.Join();
  EXPECT_EQ(domain, AF_INET);
}

TEST_F(LibcProcessTest, TheEndOfAProcessClosesItsDescriptors) {
  const net::LibcProcess::Scope scope(process_);
  uint16_t port = 0;
  const int listener = ListenOn(port);
  int client = -1;
  {
    net::LibcProcess other(kernel_);
    const net::LibcProcess::Scope in_other(other);
    client = ConnectTo(port);
  }
  EXPECT_EQ(syscall(SYS_fcntl, client, F_GETFD), -1);  // Linux's placeholder.
  EXPECT_EQ(errno, EBADF);
  EXPECT_EQ(ReadAll(accept(listener, nullptr, nullptr)), "");
}

}  // namespace
