// Makes the calls that the other programs do not make, and checks their
// results, which are those of Linux, too. Prints the first that is wrong.
// "calls fork" uses a socket in a child instead, which is forked while a thread
// waits, and returns the child's status. "calls exec" executes a program then,
// "calls raw" makes a socket without the C library.

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CHECK(condition)                                                  \
  do {                                                                    \
    if (!(condition)) {                                                   \
      printf("line %d: %s: %s\n", __LINE__, #condition, strerror(errno)); \
      exit(1);                                                            \
    }                                                                     \
  } while (0)

static struct sockaddr_in Loopback(void) {
  struct sockaddr_in addr = {.sin_family = AF_INET};
  addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return addr;
}

// Makes the two ends of a TCP connection.
static void Connect(int ends[2]) {
  struct sockaddr_in addr = Loopback();
  socklen_t size = sizeof(addr);
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  CHECK(listen(listener, 5) == 0);
  CHECK(getsockname(listener, (struct sockaddr*)&addr, &size) == 0);
  addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ends[0] = socket(AF_INET, SOCK_STREAM, 0);
  CHECK(connect(ends[0], (struct sockaddr*)&addr, size) == 0);
  ends[1] = accept(listener, NULL, NULL);
  CHECK(ends[1] >= 0);
  CHECK(close(listener) == 0);
}

static void Vectors(const int ends[2]) {
  char a[3] = "";
  char b[8] = "";
  struct iovec out[2] = {{"abc", 3}, {"defg", 4}};
  struct iovec in[2] = {{a, sizeof(a)}, {b, sizeof(b)}};
  CHECK(writev(ends[0], out, 2) == 7);
  CHECK(readv(ends[1], in, 2) == 7);
  CHECK(memcmp(a, "abc", 3) == 0 && memcmp(b, "defg", 4) == 0);
  struct mmsghdr messages[2] = {
      {.msg_hdr = {.msg_iov = &out[0], .msg_iovlen = 1}},
      {.msg_hdr = {.msg_iov = &out[1], .msg_iovlen = 1}}};
  CHECK(sendmmsg(ends[0], messages, 2, 0) == 2 && messages[1].msg_len == 4);
  struct mmsghdr received[2] = {
      {.msg_hdr = {.msg_iov = &in[0], .msg_iovlen = 1}},
      {.msg_hdr = {.msg_iov = &in[1], .msg_iovlen = 1}}};
  CHECK(recvmmsg(ends[1], received, 2, MSG_WAITFORONE, NULL) == 2 &&
        received[1].msg_len == 4);
  CHECK(sendto(ends[0], "x", 1, 0, NULL, 0) == 1);
  struct sockaddr_in from;
  socklen_t size = sizeof(from);
  CHECK(recvfrom(ends[1], a, 1, 0, (struct sockaddr*)&from, &size) == 1 &&
        size == 0);
}

// sendfile(2) from a file that begins with ten digits.
static void SendFiles(const int ends[2], int file) {
  char data[16];
  off_t offset = 100;
  CHECK(sendfile(ends[0], file, &offset, 100) == 0 && offset == 100);
  offset = -1;
  CHECK(sendfile(ends[0], file, &offset, 100) == -1 && errno == EINVAL);
  CHECK(lseek(file, 8, SEEK_SET) == 8);
  CHECK(sendfile64(ends[0], file, NULL, 100) == 2);
  CHECK(lseek(file, 0, SEEK_CUR) == 10);
  CHECK(recv(ends[1], data, sizeof(data), 0) == 2 &&
        memcmp(data, "89", 2) == 0);
  CHECK(sendfile(ends[0], 999, NULL, 1) == -1 && errno == EBADF);
  CHECK(sendfile(ends[0], ends[1], NULL, 1) == -1 && errno == EINVAL);
  CHECK(sendfile(ends[0], ends[1], &offset, 1) == -1 && errno == ESPIPE);

  // A non-blocking socket takes as much as fits.
  enum { kSize = 200000 };
  CHECK(ftruncate(file, kSize) == 0);
  int others[2];
  Connect(others);
  CHECK(fcntl(others[0], F_SETFL, O_NONBLOCK) == 0);
  ssize_t sent;
  do {
    offset = 0;
    sent = sendfile(others[0], file, &offset, kSize);
    CHECK(sent < 0 || offset == sent);
  } while (sent == kSize);
  while (sent > 0) sent = sendfile(others[0], file, &offset, kSize);
  CHECK(errno == EAGAIN);
  CHECK(close(others[0]) == 0 && close(others[1]) == 0);

  Connect(others);
  CHECK(shutdown(others[0], SHUT_WR) == 0);
  CHECK(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
  offset = 7;
  CHECK(sendfile(others[0], file, &offset, 1) == -1 && errno == EPIPE &&
        offset == 7);
  CHECK(close(others[0]) == 0 && close(others[1]) == 0);
}

static void* WriteLater(void* fd) {
  CHECK(usleep(1000) == 0 && write(*(int*)fd, "later", 5) == 5);
  return NULL;
}

// splice(2) between sockets and a pipe, which is Linux's.
static void Splices(const int ends[2]) {
  int pipe_ends[2];
  char data[16];
  CHECK(pipe(pipe_ends) == 0);
  const int from = pipe_ends[0];
  const int to = pipe_ends[1];
  CHECK(splice(from, NULL, ends[0], NULL, 9, SPLICE_F_NONBLOCK) == -1 &&
        errno == EAGAIN);
  CHECK(write(to, "hello", 5) == 5);
  CHECK(splice(from, NULL, ends[0], NULL, 3, SPLICE_F_MORE) == 3);
  CHECK(splice(from, NULL, ends[0], NULL, 9, 0) == 2);
  CHECK(recv(ends[1], data, 5, MSG_WAITALL) == 5 &&
        memcmp(data, "hello", 5) == 0);

  CHECK(send(ends[1], "back", 4, 0) == 4);
  CHECK(splice(ends[0], NULL, to, NULL, 1, 0) == 1);
  CHECK(sendfile(to, ends[0], NULL, 9) == 3);
  CHECK(read(from, data, sizeof(data)) == 4 && memcmp(data, "back", 4) == 0);

  loff_t offset = 0;
  CHECK(splice(from, &offset, ends[0], NULL, 1, 0) == -1 && errno == ESPIPE);
  CHECK(splice(from, NULL, ends[0], &offset, 1, 0) == -1 && errno == EINVAL);
  CHECK(splice(to, NULL, ends[0], NULL, 1, 0) == -1 && errno == EBADF);
  CHECK(splice(ends[0], NULL, ends[1], NULL, 1, 0) == -1 && errno == EINVAL);
  CHECK(splice(from, NULL, ends[0], NULL, 1, 16) == -1 && errno == EINVAL);
  CHECK(splice(from, NULL, ends[0], NULL, 0, 16) == 0);

  CHECK(fcntl(to, F_SETPIPE_SZ, 4096) == 4096 && write(to, "full", 4) == 4);
  CHECK(send(ends[1], "x", 1, 0) == 1);
  CHECK(splice(ends[0], NULL, to, NULL, 1, SPLICE_F_NONBLOCK) == -1 &&
        errno == EAGAIN);
  CHECK(recv(ends[0], data, 1, 0) == 1 && read(from, data, 4) == 4);

  pthread_t writer;
  CHECK(pthread_create(&writer, NULL, &WriteLater, &pipe_ends[1]) == 0);
  CHECK(splice(from, NULL, ends[0], NULL, 9, 0) == 5);
  CHECK(pthread_join(writer, NULL) == 0);
  CHECK(recv(ends[1], data, 5, MSG_WAITALL) == 5 &&
        memcmp(data, "later", 5) == 0);
  CHECK(close(to) == 0 && splice(from, NULL, ends[0], NULL, 9, 0) == 0);
  CHECK(close(from) == 0);
}

static void Files(const int ends[2]) {
  char path[] = "/tmp/calls.XXXXXX";
  const int file = mkstemp(path);
  CHECK(file >= 0 && unlink(path) == 0 && write(file, "0123456789", 10) == 10);
  off_t offset = 4;
  char data[16];
  CHECK(sendfile(ends[0], file, &offset, 100) == 6 && offset == 10);
  CHECK(recv(ends[1], data, sizeof(data), 0) == 6 &&
        memcmp(data, "456789", 6) == 0);
  SendFiles(ends, file);
  close(file);
  const int copy = dup(ends[1]);
  FILE* const stream = fdopen(copy, "r+");
  CHECK(fileno(stream) == copy);
  CHECK(stream != NULL && write(ends[0], "line\n", 5) == 5);
  CHECK(fgets(data, sizeof(data), stream) != NULL &&
        strcmp(data, "line\n") == 0);
  CHECK(fputs("back", stream) >= 0 && fclose(stream) == 0);
  CHECK(read(ends[0], data, sizeof(data)) == 4 && memcmp(data, "back", 4) == 0);
  struct stat status;
  CHECK(fstat(ends[0], &status) == 0 && S_ISSOCK(status.st_mode));
}

static void Descriptors(const int ends[2]) {
  char byte;
  int pipe_ends[2];
  CHECK(pipe2(pipe_ends, O_CLOEXEC) == 0);
  const int high = fcntl(ends[0], F_DUPFD_CLOEXEC, 100);
  CHECK(high >= 100 && (fcntl(high, F_GETFD) & FD_CLOEXEC) != 0);
  // A number of Linux becomes one of the fake, and back.
  CHECK(dup2(high, pipe_ends[1]) == pipe_ends[1] &&
        write(pipe_ends[1], "p", 1) == 1);
  CHECK(read(ends[1], &byte, 1) == 1 && byte == 'p');
  CHECK(dup2(pipe_ends[0], high) == high && read(high, &byte, 1) == 0);
  CHECK(close(high) == 0 && close(pipe_ends[0]) == 0 &&
        close(pipe_ends[1]) == 0);
  int unread = -1;
  // Nagle's algorithm may hold the data back until the other end's delayed
  // acknowledgement.
  struct pollfd readable = {.fd = ends[1], .events = POLLIN};
  CHECK(write(ends[0], "abc", 3) == 3 && poll(&readable, 1, -1) == 1);
  CHECK(ioctl(ends[1], FIONREAD, &unread) == 0 && unread == 3);
  CHECK(fcntl(ends[1], F_SETFL, O_NONBLOCK) == 0 &&
        (fcntl(ends[1], F_GETFL) & O_NONBLOCK) != 0);
  char data[3];
  CHECK(read(ends[1], data, 3) == 3 && read(ends[1], data, 3) == -1 &&
        errno == EAGAIN);
  CHECK(fcntl(ends[1], F_SETFL, 0) == 0);
  const int first = fcntl(ends[0], F_DUPFD, 100);
  const int second = fcntl(ends[0], F_DUPFD, 101);
  CHECK(close_range((unsigned)first, (unsigned)second, 0) == 0 &&
        close(second) == -1 && errno == EBADF);
}

static double Now(void) {
  struct timespec now;
  CHECK(clock_gettime(CLOCK_MONOTONIC, &now) == 0);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

// Waits for sockets, and for a pipe, which is Linux's.
static void Waits(const int ends[2]) {
  int pipe_ends[2];
  char byte;
  CHECK(pipe(pipe_ends) == 0);
  struct pollfd set[2] = {{.fd = ends[1], .events = POLLIN},
                          {.fd = pipe_ends[0], .events = POLLIN}};
  double before = Now();
  CHECK(poll(set, 2, 50) == 0 && Now() - before > 0.049);
  CHECK(write(pipe_ends[1], "n", 1) == 1 && poll(set, 2, -1) == 1 &&
        set[0].revents == 0 && set[1].revents == POLLIN);
  CHECK(write(ends[0], "f", 1) == 1 && poll(set, 2, -1) == 2 &&
        set[0].revents == POLLIN);
  fd_set readable;
  FD_ZERO(&readable);
  FD_SET(ends[1], &readable);
  FD_SET(pipe_ends[0], &readable);
  struct timeval minute = {.tv_sec = 60};
  CHECK(select(pipe_ends[1] + 1, &readable, NULL, NULL, &minute) == 2 &&
        FD_ISSET(ends[1], &readable));
  CHECK(read(ends[1], &byte, 1) == 1);
  FD_SET(ends[1], &readable);
  CHECK(select(pipe_ends[1] + 1, &readable, NULL, NULL, &minute) == 1 &&
        !FD_ISSET(ends[1], &readable));
  CHECK(read(pipe_ends[0], &byte, 1) == 1);
  before = Now();
  struct timeval moment = {.tv_usec = 50000};
  CHECK(select(0, NULL, NULL, NULL, &moment) == 0 && Now() - before > 0.049);

  const int epoll = epoll_create1(0);
  struct epoll_event event = {.events = EPOLLIN, .data.fd = pipe_ends[0]};
  struct epoll_event events[2];
  CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, pipe_ends[0], &event) == 0);
  event.data.fd = ends[1];
  CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, ends[1], &event) == 0);
  before = Now();
  CHECK(epoll_wait(epoll, events, 2, 50) == 0 && Now() - before > 0.049);
  CHECK(write(pipe_ends[1], "n", 1) == 1 && write(ends[0], "f", 1) == 1);
  CHECK(epoll_wait(epoll, events, 2, -1) == 2 &&
        events[0].data.fd != events[1].data.fd);
  CHECK(read(ends[1], &byte, 1) == 1 && close(epoll) == 0);
  CHECK(close(pipe_ends[0]) == 0 && close(pipe_ends[1]) == 0);

  const int counter = eventfd(3, 0);
  uint64_t value = 0;
  struct iovec in = {&value, sizeof(value)};
  CHECK(readv(counter, &in, 1) == 8 && value == 3 && close(counter) == 0);
}

static void Timers(const int ends[2]) {
  uint64_t count = 0;
  const int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
  const struct itimerspec often = {.it_interval.tv_nsec = 50000000,
                                   .it_value.tv_nsec = 50000000};
  const double before = Now();
  CHECK(timerfd_settime(timer, 0, &often, NULL) == 0);
  CHECK(read(timer, &count, 8) == 8 && count >= 1 && Now() - before > 0.049);
  const int epoll = epoll_create1(0);
  struct epoll_event event = {.events = EPOLLIN, .data.fd = timer};
  struct epoll_event events[2];
  CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, timer, &event) == 0);
  event.data.fd = ends[1];
  CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, ends[1], &event) == 0);
  CHECK(epoll_wait(epoll, events, 2, -1) == 1 && events[0].data.fd == timer);
  CHECK(read(timer, &count, 8) == 8 && Now() - before > 0.099);
  const struct itimerspec never = {0};
  struct itimerspec old;
  CHECK(timerfd_settime(timer, 0, &never, &old) == 0 &&
        old.it_interval.tv_nsec == 50000000);
  CHECK(timerfd_gettime(timer, &old) == 0 && old.it_interval.tv_nsec == 0);
  CHECK(close(timer) == 0 && close(epoll) == 0);
  CHECK(timerfd_gettime(timer, &old) == -1 && errno == EBADF);
}

static void Children(const int ends[2]) {
  int status = 0;
  const double before = Now();
  CHECK(system("exit 3") == 3 << 8);
  const pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    // A child may close what it has inherited, and make connections of its own.
    int others[2];
    CHECK(close(ends[0]) == 0 && dup2(ends[1], ends[0]) == ends[0]);
    CHECK(dup2(1, ends[0]) == ends[0] && dup2(1, ends[1]) == ends[1]);
    Connect(others);
    Vectors(others);
    CHECK(Now() >= before);
    _exit(4);
  }
  CHECK(waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 4);
}

static atomic_bool stop;

// Calls poll(2) without waiting, in a loop.
static void* Spin(void* ends) {
  struct pollfd one = {.fd = *(int*)ends, .events = POLLIN};
  while (!atomic_load(&stop)) CHECK(poll(&one, 1, 0) == 0);
  return NULL;
}

// Time passes for a thread that sleeps while another one spins.
static void SleepBesideSpinner(int ends[2]) {
  pthread_t spinner;
  CHECK(pthread_create(&spinner, NULL, &Spin, &ends[1]) == 0);
  CHECK(usleep(5000) == 0);
  atomic_store(&stop, true);
  CHECK(pthread_join(spinner, NULL) == 0);
}

static void* ReadOne(void* end) {
  char byte;
  CHECK(read(*(int*)end, &byte, 1) == 1);
  return NULL;
}

// Two threads wait for pipes, which are Linux's, while a third one sleeps. All
// three have a timer that expires at the same time.
static void SleepBesideReaders(void) {
  pthread_t threads[2];
  int pipes[2][2];
  for (int i = 0; i < 2; ++i) {
    CHECK(pipe(pipes[i]) == 0);
    CHECK(pthread_create(&threads[i], NULL, &ReadOne, &pipes[i][0]) == 0);
  }
  CHECK(usleep(1000) == 0 && usleep(1000) == 0);
  for (int i = 0; i < 2; ++i) {
    CHECK(write(pipes[i][1], "p", 1) == 1 &&
          pthread_join(threads[i], NULL) == 0);
    CHECK(close(pipes[i][0]) == 0 && close(pipes[i][1]) == 0);
  }
}

// As libuv closes descriptors.
static void CloseWithoutLibrary(void) {
  int ends[2];
  char byte;
  Connect(ends);
  CHECK(syscall(SYS_close, ends[0]) == 0 && read(ends[1], &byte, 1) == 0);
  CHECK(close(ends[0]) == -1 && errno == EBADF && close(ends[1]) == 0);
}

static void* Accept(void* listener) {
  const int accepted = accept(*(int*)listener, NULL, NULL);
  CHECK(accepted >= 0 && write(accepted, "a", 1) == 1);
  CHECK(close(accepted) == 0);
  return NULL;
}

// Each call that is blocked has the number of its future descriptor, while
// others make descriptors.
static void AcceptInThreads(void) {
  enum { kThreads = 8 };
  pthread_t threads[kThreads];
  int clients[kThreads];
  char byte;
  struct sockaddr_in addr = Loopback();
  socklen_t size = sizeof(addr);
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  CHECK(bind(listener, (struct sockaddr*)&addr, size) == 0 &&
        listen(listener, kThreads) == 0);
  CHECK(getsockname(listener, (struct sockaddr*)&addr, &size) == 0);
  for (int i = 0; i < kThreads; ++i) {
    CHECK(pthread_create(&threads[i], NULL, &Accept, &listener) == 0);
  }
  // Virtual time, which passes once the threads are blocked.
  CHECK(usleep(1000) == 0);
  for (int i = 0; i < kThreads; ++i) {
    clients[i] = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(connect(clients[i], (struct sockaddr*)&addr, size) == 0);
  }
  for (int i = 0; i < kThreads; ++i) {
    CHECK(pthread_join(threads[i], NULL) == 0);
    CHECK(read(clients[i], &byte, 1) == 1 && byte == 'a' &&
          close(clients[i]) == 0);
  }
  CHECK(close(listener) == 0);
}

static void Pair(void) {
  int ends[2];
  char data[8];
  CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
                   ends) == 0);
  CHECK(read(ends[0], data, 1) == -1 && errno == EAGAIN);
  CHECK(write(ends[1], "pair", 4) == 4 && read(ends[0], data, 8) == 4);
  CHECK(close(ends[0]) == 0 && read(ends[1], data, 8) == 0 &&
        close(ends[1]) == 0);
}

static void* ReceiveByte(void* fd) {
  char byte;
  (void)!recv(*(int*)fd, &byte, 1, 0);
  return NULL;
}

int main(int argc, char** argv) {
  int ends[2];
  if (argc > 1) {
    pthread_t thread;
    Connect(ends);
    CHECK(pthread_create(&thread, NULL, &ReceiveByte, &ends[1]) == 0);
    // The thread waits when this has returned.
    CHECK(usleep(1000) == 0);
    if (strcmp(argv[1], "raw") == 0)
      syscall(SYS_socket, AF_INET, SOCK_STREAM, 0);
    if (strcmp(argv[1], "exec") == 0) execlp("true", "true", NULL);
    const pid_t child = fork();
    if (child == 0) _exit(send(ends[0], "x", 1, 0) == 1 ? 0 : 1);
    int status = 0;
    CHECK(waitpid(child, &status, 0) == child);
    return WEXITSTATUS(status);
  }
  Connect(ends);
  Vectors(ends);
  Files(ends);
  Splices(ends);
  Descriptors(ends);
  Waits(ends);
  Timers(ends);
  SleepBesideSpinner(ends);
  SleepBesideReaders();
  Children(ends);
  Pair();
  CloseWithoutLibrary();
  AcceptInThreads();
  CHECK(close(ends[0]) == 0 && close(ends[1]) == 0);
  puts("all results are right");
  return 0;
}
