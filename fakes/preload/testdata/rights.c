// Passes descriptors in messages (SCM_RIGHTS) between threads and processes,
// and checks what each receives, which is the same on Linux. Prints the first
// result that is wrong.

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fakes/preload/testdata/checks.h"

static void MakePair(int pair[2]) {
  CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
}

enum { kMost = 4 };

union Control {
  struct cmsghdr header;
  char space[CMSG_SPACE(kMost * sizeof(int))];
};

// Sends a text with descriptors.
static void Pass(int to, const char* text, const int* fds, int count) {
  union Control control;
  memset(&control, 0, sizeof(control));
  struct iovec part = {.iov_base = (char*)text, .iov_len = strlen(text)};
  struct msghdr message = {
      .msg_iov = &part,
      .msg_iovlen = 1,
      .msg_control = count > 0 ? control.space : NULL,
      .msg_controllen =
          count > 0 ? CMSG_SPACE((size_t)count * sizeof(int)) : 0};
  if (count > 0) {
    control.header.cmsg_level = SOL_SOCKET;
    control.header.cmsg_type = SCM_RIGHTS;
    control.header.cmsg_len = CMSG_LEN((size_t)count * sizeof(int));
    memcpy(CMSG_DATA(&control.header), fds, (size_t)count * sizeof(int));
  }
  CHECK(sendmsg(to, &message, 0) == (ssize_t)strlen(text));
}

// Expects a text with descriptors. Asks for at most `size` bytes.
static void Expect(int from, const char* text, size_t size, int* fds,
                   int count) {
  char data[64] = "";
  union Control control;
  struct iovec part = {.iov_base = data, .iov_len = size};
  struct msghdr message = {.msg_iov = &part,
                           .msg_iovlen = 1,
                           .msg_control = control.space,
                           .msg_controllen = sizeof(control)};
  const ssize_t got = recvmsg(from, &message, MSG_CMSG_CLOEXEC);
  CHECK(got == (ssize_t)strlen(text) && memcmp(data, text, (size_t)got) == 0);
  const struct cmsghdr* const header = CMSG_FIRSTHDR(&message);
  if (count == 0) {
    CHECK(header == NULL && (message.msg_flags & MSG_CTRUNC) == 0);
    return;
  }
  CHECK(header != NULL && header->cmsg_type == SCM_RIGHTS);
  CHECK(header->cmsg_len == CMSG_LEN((size_t)count * sizeof(int)));
  memcpy(fds, CMSG_DATA(header), (size_t)count * sizeof(int));
  for (int i = 0; i < count; ++i) {
    CHECK(fcntl(fds[i], F_GETFD) == FD_CLOEXEC);
  }
}

static void ExpectLinked(int a, int b) {
  char byte;
  CHECK(write(a, "l", 1) == 1 && read(b, &byte, 1) == 1 && byte == 'l');
}

// The file stays open while the message is on its way, and then with its
// receiver.
static void WithinProcess(void) {
  int pair[2];
  int ends[2];
  int got = -1;
  MakePair(pair);
  Pair(&ends[0], &ends[1]);
  Pass(pair[0], "x", &ends[1], 1);
  CHECK(close(ends[1]) == 0);
  Expect(pair[1], "x", 64, &got, 1);
  ExpectLinked(ends[0], got);
  CHECK(close(got) == 0);
  ExpectEnd(ends[0]);
  CHECK(close(ends[0]) == 0 && close(pair[0]) == 0 && close(pair[1]) == 0);
}

// Descriptors belong to the first byte of their message. A recvmsg(2) ends with
// the message whose descriptors it returns.
static void Boundaries(void) {
  int pair[2];
  int ends[2];
  int got[2];
  MakePair(pair);
  Pair(&ends[0], &ends[1]);
  Pass(pair[0], "before", NULL, 0);
  Pass(pair[0], "with", ends, 2);
  Pass(pair[0], "then", &ends[0], 1);
  Expect(pair[1], "bef", 3, NULL, 0);
  Expect(pair[1], "orew", 4, got, 2);
  ExpectLinked(got[0], ends[1]);
  ExpectLinked(got[1], ends[0]);
  CHECK(close(got[0]) == 0 && close(got[1]) == 0);
  Expect(pair[1], "iththen", 64, got, 1);
  ExpectLinked(got[0], ends[1]);
  CHECK(close(got[0]) == 0);
  // read(2) drops them.
  char data[4];
  Pass(pair[0], "drop", &ends[0], 1);
  CHECK(read(pair[1], data, 4) == 4 && memcmp(data, "drop", 4) == 0);
  Pass(pair[0], "last", &ends[1], 1);
  Pass(pair[0], "behind", NULL, 0);
  Expect(pair[1], "last", 64, got, 1);
  Expect(pair[1], "behind", 64, NULL, 0);
  ExpectLinked(got[0], ends[0]);
  CHECK(close(got[0]) == 0 && close(ends[0]) == 0 && close(ends[1]) == 0);
  CHECK(close(pair[0]) == 0 && close(pair[1]) == 0);
}

// Files of every kind.
static void Kinds(void) {
  int pair[2];
  int other[2];
  int native[2];
  int fds[4];
  int got[4];
  MakePair(pair);
  MakePair(other);
  CHECK(pipe(native) == 0);
  const int counter = eventfd(0, 0);
  const int epoll = epoll_create1(0);
  struct epoll_event event = {.events = EPOLLIN, .data.fd = 7};
  CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, native[0], &event) == 0);
  fds[0] = other[0];
  fds[1] = native[1];
  fds[2] = counter;
  fds[3] = epoll;
  Pass(pair[0], "kinds", fds, 4);
  Expect(pair[1], "kinds", 64, got, 4);
  ExpectLinked(got[0], other[1]);
  ExpectLinked(got[1], native[0]);
  uint64_t value = 5;
  CHECK(write(got[2], &value, 8) == 8 && read(counter, &value, 8) == 8 &&
        value == 5);
  CHECK(epoll_wait(got[3], &event, 1, 0) == 0);
  CHECK(write(native[1], "x", 1) == 1);
  CHECK(epoll_wait(got[3], &event, 1, -1) == 1 && event.data.fd == 7);
  for (int i = 0; i < 4; ++i) CHECK(close(got[i]) == 0 && close(fds[i]) == 0);
  CHECK(close(native[0]) == 0 && close(other[1]) == 0);
  CHECK(close(pair[0]) == 0 && close(pair[1]) == 0);
}

// A server passes its connections to a worker that was there before them.
static void Worker(void) {
  int pair[2];
  MakePair(pair);
  const pid_t child = Fork();
  if (child == 0) {
    CHECK(close(pair[0]) == 0);
    for (int i = 0; i < 3; ++i) {
      int got = -1;
      Expect(pair[1], "c", 64, &got, 1);
      char byte;
      CHECK(read(got, &byte, 1) == 1 && byte == 'q');
      CHECK(write(got, "a", 1) == 1 && close(got) == 0);
    }
    ExpectEnd(pair[1]);
    _exit(8);
  }
  CHECK(close(pair[1]) == 0);
  for (int i = 0; i < 3; ++i) {
    int ends[2];
    char byte;
    Pair(&ends[0], &ends[1]);
    Pass(pair[0], "c", &ends[1], 1);
    CHECK(close(ends[1]) == 0);
    CHECK(write(ends[0], "q", 1) == 1);
    CHECK(read(ends[0], &byte, 1) == 1 && byte == 'a');
    ExpectEnd(ends[0]);
    CHECK(close(ends[0]) == 0);
  }
  CHECK(close(pair[0]) == 0);
  ExpectStatus(child, 8 << 8);
}

// The same over a Unix socket with a name.
static void NamedSocket(void) {
  const struct sockaddr address = {.sa_family = AF_UNIX};
  struct sockaddr_storage name;
  socklen_t size = sizeof(name);
  const int listener = socket(AF_UNIX, SOCK_STREAM, 0);
  // Linux chooses the name.
  CHECK(bind(listener, &address, sizeof(address.sa_family)) == 0);
  CHECK(listen(listener, 1) == 0);
  CHECK(getsockname(listener, (struct sockaddr*)&name, &size) == 0);
  const pid_t child = Fork();
  if (child == 0) {
    int got = -1;
    const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK(connect(fd, (struct sockaddr*)&name, size) == 0);
    Expect(fd, "n", 64, &got, 1);
    CHECK(write(got, "w", 1) == 1);
    _exit(9);
  }
  const int fd = accept(listener, NULL, NULL);
  int ends[2];
  char byte;
  Pair(&ends[0], &ends[1]);
  Pass(fd, "n", &ends[1], 1);
  CHECK(close(ends[1]) == 0);
  CHECK(read(ends[0], &byte, 1) == 1 && byte == 'w');
  ExpectEnd(ends[0]);
  ExpectStatus(child, 9 << 8);
  CHECK(close(ends[0]) == 0 && close(fd) == 0 && close(listener) == 0);
}

int main(void) {
  WithinProcess();
  Boundaries();
  Kinds();
  Worker();
  NamedSocket();
  puts("all results are right");
  return 0;
}
