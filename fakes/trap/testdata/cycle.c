// A client and a server in one program: makes a connection, sends a word and
// closes all. Leaks the listener if accept4 fails (on purpose).
//
//   cycle          once; the exit status is 1 if a call fails
//   cycle serve    once for each byte of the standard input; writes a line with
//                  the errno, or 0. Before that, the byte 's' closes a
//                  descriptor that is not open, 'l' locks a socket, and 't'
//                  makes many calls.

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int connect_to(const struct sockaddr_in* address) {
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  if (fd < 0) return -1;
  if (connect(fd, (const struct sockaddr*)address, sizeof(*address)) == 0) {
    return fd;
  }
  int error = errno;
  close(fd);
  errno = error;
  return -1;
}

static int serve_one(int listener, int client) {
  struct sockaddr_in peer;
  socklen_t size = sizeof(peer);
  int fd = accept4(listener, (struct sockaddr*)&peer, &size, SOCK_CLOEXEC);
  if (fd < 0) return -1;
  char buffer[8];
  int result = send(client, "hello", 5, MSG_NOSIGNAL) == 5 &&
                       recv(fd, buffer, sizeof(buffer), 0) == 5
                   ? 0
                   : -1;
  int error = errno;
  close(fd);
  errno = error;
  return result;
}

static int cycle(void) {
  struct sockaddr_in address;
  memset(&address, 0, sizeof(address));
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  if (listener < 0) return errno;
  int error = 0;
  if (bind(listener, (struct sockaddr*)&address, size) != 0 ||
      listen(listener, 4) != 0 ||
      getsockname(listener, (struct sockaddr*)&address, &size) != 0) {
    error = errno;
  } else {
    int client = connect_to(&address);
    if (client < 0) {
      error = errno;
    } else {
      if (serve_one(listener, client) != 0) error = errno;
      close(client);
      if (error == EMFILE) return error;
    }
  }
  close(listener);
  return error;
}

static void lock_socket(void) {
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  struct flock lock = {.l_type = F_WRLCK};
  fcntl(fd, F_SETLK, &lock);
  close(fd);
}

static void listen_often(void) {
  enum { TIMES = 10000 };
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  for (int i = 0; i < TIMES; ++i) listen(fd, i);
  close(fd);
}

int main(int argc, char** argv) {
  if (argc < 2 || strcmp(argv[1], "serve") != 0) {
    errno = cycle();
    if (errno == 0) return 0;
    perror("cycle");
    return 1;
  }
  char command;
  while (read(STDIN_FILENO, &command, 1) == 1) {
    if (command == 's') close(500);
    if (command == 'l') lock_socket();
    if (command == 't') listen_often();
    printf("%d\n", cycle());
    fflush(stdout);
  }
  return 0;
}
