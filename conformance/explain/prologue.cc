#include "conformance/explain/prologue.h"

#include <cstddef>
#include <iterator>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"

namespace net::conformance {
namespace {

constexpr absl::string_view kIncludes = R"c(
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
)c";

// A part of the prologue, which defines `name`. It is left out if neither the
// code nor a later part uses that.
struct Part {
  absl::string_view name;
  absl::string_view text;
};

constexpr Part kParts[] = {
    {.name = "error_name", .text = R"c(
static const char *error_name(int error) {
#if defined(__GLIBC__) && (__GLIBC__ > 2 || __GLIBC_MINOR__ >= 32)
  return strerrorname_np(error);
#else
  return strerror(error);
#endif
}
)c"},
    {.name = "differs", .text = R"c(
static void differs(int line, const char *call, const char *expected,
                    const char *actual) {
  printf("line %d: %s: expected %s, got %s\n", line, call, expected, actual);
  exit(1);
}
)c"},
    {.name = "differs_from", .text = R"c(
static void differs_from(int line, const char *call, const char *expected,
                         long result) {
  char number[32];
  snprintf(number, sizeof(number), "%ld", result);
  differs(line, call, expected, result < 0 ? error_name(errno) : number);
}
)c"},
    {.name = "loopback_is_up", .text = R"c(
static int loopback_is_up = 1;
)c"},
    {.name = "delivered", .text = R"c(
/* Waits until everything has arrived that was sent over the loopback interface.
 * Linux delivers it in a soft interrupt, on a busy machine after the call has
 * returned that has sent it. A datagram of this process arrives after all that
 * the same processor has sent before. What that provokes comes after the
 * datagram, so there are several. */
static void delivered(void) {
  static int fd = -1;
  int i, mark = 0;
  if (fd < 0) {
    struct sockaddr_in self = {AF_INET, 0, {htonl(INADDR_LOOPBACK)}, {0}};
    socklen_t size = sizeof(self);
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(sched_getcpu(), &one);
    sched_setaffinity(0, sizeof(one), &one);
    fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&self, size) != 0 ||
        getsockname(fd, (struct sockaddr *)&self, &size) != 0 ||
        connect(fd, (struct sockaddr *)&self, size) != 0) {
      close(fd);
      fd = -1;
      return; /* No descriptor is left, or there is no UDP. */
    }
  }
  for (i = 0; loopback_is_up && i < 6; ++i) {
    if (send(fd, &mark, sizeof(mark), 0) < 0) return;
    while (recv(fd, &mark, sizeof(mark), 0) < 0 && errno == EINTR) continue;
  }
}
)c"},
    {.name = "SUCCEEDS", .text = R"c(
/* A call that must succeed; its value. */
#define SUCCEEDS(call) (delivered(), succeeds(__LINE__, #call, call))
static int succeeds(int line, const char *text, long result) {
  if (result < 0) differs_from(line, text, "success", result);
  printf("%s = %ld\n", text, result);
  return (int)result;
}
)c"},
    {.name = "RETURNS", .text = R"c(
/* A call that must return that value. */
#define RETURNS(value, call) \
  (delivered(), returns(__LINE__, #call, call, value, #value))
static void returns(int line, const char *text, long result, long value,
                    const char *expected) {
  if (result != value) differs_from(line, text, expected, result);
  printf("%s = %s\n", text, expected);
}
)c"},
    {.name = "FAILS", .text = R"c(
/* A call that must fail with that errno. */
#define FAILS(error, call) \
  (delivered(), fails(__LINE__, #call, call, error, #error))
static void fails(int line, const char *text, long result, int error,
                  const char *expected) {
  if (result >= 0) differs(line, text, expected, "success");
  if (errno != error) differs_from(line, text, expected, result);
  printf("%s fails with %s\n", text, expected);
}
)c"},
    {.name = "transferred", .text = R"c(
/* The bytes that the calls of UNTIL_FAILS() have transferred. */
static long transferred;
)c"},
    {.name = "UNTIL_FAILS", .text = R"c(
/* Calls that transfer data, the last of which must fail with that errno. */
#define UNTIL_FAILS(error, call)                                     \
  do {                                                               \
    long got;                                                        \
    while (delivered(), (got = call) > 0) transferred += got;        \
    if (got == 0) differs(__LINE__, #call, #error, "0");             \
    if (errno != error) differs_from(__LINE__, #call, #error, got);  \
    printf("%s ... fails with %s\n", #call, #error);                \
  } while (0)
)c"},
    {.name = "UNTIL_RETURNS", .text = R"c(
/* Calls that transfer data, the last of which must return that value. */
#define UNTIL_RETURNS(value, call)                                 \
  do {                                                             \
    long got;                                                      \
    while (delivered(), (got = call) > 0) continue;                \
    if (got != value) differs_from(__LINE__, #call, #value, got);  \
    printf("%s ... = %s\n", #call, #value);                       \
  } while (0)
)c"},
    {.name = "SENDS", .text = R"c(
/* send() until so many bytes are sent. */
#define SENDS(size, fd, flags) sends(__LINE__, size, fd, flags)
static void sends(int line, long size, int fd, int flags) {
  for (long got; size > 0; size -= got) {
    got = send(fd, payload, (size_t)size, flags);
    if (got <= 0) differs_from(line, "send()", "success", got);
  }
  printf("send(%d) ... sends all\n", fd);
}
)c"},
    {.name = "RECEIVES", .text = R"c(
/* recv() until so many bytes are received. */
#define RECEIVES(size, fd, flags) receives(__LINE__, size, fd, flags)
static void receives(int line, long size, int fd, int flags) {
  for (long got; size > 0; size -= got) {
    size_t most = sizeof(buffer) < (size_t)size ? sizeof(buffer) : (size_t)size;
    got = recv(fd, buffer, most, flags);
    if (got <= 0) differs_from(line, "recv()", "more data", got);
  }
  printf("recv(%d) ... receives all\n", fd);
}
)c"},
    {.name = "IS", .text = R"c(
/* A value that the last call has filled in. */
#define IS(expected, actual) is(__LINE__, #actual, (long)(actual), (long)(expected), #expected)
static void is(int line, const char *text, long actual, long expected,
               const char *expected_text) {
  char number[32];
  snprintf(number, sizeof(number), "%ld", actual);
  if (actual != expected) differs(line, text, expected_text, number);
  printf("  %s is %s\n", text, expected_text);
}
)c"},
    {.name = "IS_DATA", .text = R"c(
/* The data that the last call has filled in. */
#define IS_DATA(expected, size, actual) is_data(__LINE__, expected, size, actual)
static void is_data(int line, const char *expected, size_t size,
                    const char *actual) {
  if (memcmp(expected, actual, size) != 0) differs(line, "data", expected, actual);
  printf("  the data is as expected\n");
}
)c"},
    {.name = "PORT", .text = R"c(
/* The port of an address. */
#define PORT(address) port_of(address)
static int port_of(const struct sockaddr_storage *address) {
  return ntohs(((const struct sockaddr_in *)address)->sin_port);
}
)c"},
    {.name = "IS_ADDRESS", .text = R"c(
/* The address that the last call has filled in. */
#define IS_ADDRESS(ip, port, address) is_address(__LINE__, ip, port, address)
static void is_address(int line, const char *ip, int port,
                       const struct sockaddr_storage *address) {
  char text[64] = "another family", expected[80], actual[80];
  if (address->ss_family == AF_INET) {
    inet_ntop(AF_INET, &((struct sockaddr_in *)address)->sin_addr, text, 64);
  } else if (address->ss_family == AF_INET6) {
    inet_ntop(AF_INET6, &((struct sockaddr_in6 *)address)->sin6_addr, text, 64);
  }
  snprintf(expected, sizeof(expected), "[%s]:%d", ip, port);
  snprintf(actual, sizeof(actual), "[%s]:%d", text,
           ntohs(((const struct sockaddr_in *)address)->sin_port));
  if (strcmp(expected, actual) != 0) differs(line, "the address", expected, actual);
  printf("  the address is %s\n", actual);
}
)c"},
    {.name = "INT", .text = R"c(
#define INT(number) &(int){number}, sizeof(int)
)c"},
    {.name = "BYTES", .text = R"c(
#define BYTES(text) ((void *)text)
)c"},
    {.name = "BAD_POINTER", .text = R"c(
#define BAD_POINTER ((void *)-4096L)
)c"},
    {.name = "V4_POINTER", .text = R"c(
#define V4_POINTER(ip, port) \
  (struct sockaddr *)&(struct sockaddr_in){AF_INET, htons(port), {inet_addr(ip)}, {0}}
)c"},
    {.name = "V4", .text = R"c(
#define V4(ip, port) V4_POINTER(ip, port), sizeof(struct sockaddr_in)
)c"},
    {.name = "V6_POINTER", .text = R"c(
static struct in6_addr address_of(const char *text) {
  struct in6_addr address;
  inet_pton(AF_INET6, text, &address);
  return address;
}
#define V6_POINTER(ip, port) \
  (struct sockaddr *)&(struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = address_of(ip)}
)c"},
    {.name = "V6", .text = R"c(
#define V6(ip, port) V6_POINTER(ip, port), sizeof(struct sockaddr_in6)
)c"},
    {.name = "own_network", .text = R"c(
/* A network of its own, whose loopback interface is up. */
static void own_network(void) {
  struct ifreq lo = {.ifr_name = "lo", .ifr_flags = IFF_UP};
  int fd;
  if (unshare(CLONE_NEWNET) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) {
    perror("not shown: cannot have a network of its own");
    exit(2);
  }
  fd = socket(AF_INET, SOCK_DGRAM, 0);
  if (ioctl(fd, SIOCSIFFLAGS, &lo) != 0) exit(2);
  close(fd);
}
)c"},
    {.name = "set_loopback", .text = R"c(
static void set_loopback(int up) {
  struct ifreq lo = {.ifr_name = "lo", .ifr_flags = up ? IFF_UP : 0};
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  delivered();
  if (ioctl(fd, SIOCSIFFLAGS, &lo) != 0) exit(2);
  close(fd);
  loopback_is_up = up;
}
)c"},
    {.name = "set_sysctl", .text = R"c(
static void set_sysctl(const char *file, const char *value) {
  int fd = open(file, O_WRONLY);
  if (fd < 0 || write(fd, value, strlen(value)) < 0) {
    perror(file);
    exit(2);
  }
  close(fd);
}
)c"},
    {.name = "limit_descriptors", .text = R"c(
/* Lets the process open so many more descriptors; -1: as many as before. */
static void limit_descriptors(int more) {
  static struct rlimit before;
  struct rlimit limit;
  int fd = 0;
  delivered(); /* Needs a descriptor. */
  if (before.rlim_max == 0) getrlimit(RLIMIT_NOFILE, &before);
  limit = before;
  if (more >= 0) {
    while (fcntl(fd, F_GETFD) >= 0 || more-- > 0) ++fd;
    limit.rlim_cur = (rlim_t)fd;
  }
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0) exit(2);
}
)c"},
    {.name = "drop_privileged_ports", .text = R"c(
/* Gives up CAP_NET_BIND_SERVICE. */
static void drop_privileged_ports(void) {
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct data[2];
  if (syscall(SYS_capget, &header, data) != 0) exit(2);
  data[0].effective &= ~(1U << CAP_NET_BIND_SERVICE);
  if (syscall(SYS_capset, &header, data) != 0) exit(2);
}
)c"},
    {.name = "open_after_exec", .text = R"c(
/* Whether the descriptor is open in another program that is executed. */
static int open_after_exec(int fd) {
  char number[16];
  int status;
  pid_t child;
  snprintf(number, sizeof(number), "%d", fd);
  fflush(stdout);
  child = fork();
  if (child == 0) {
    execl("/bin/sh", "sh", "-c", "test -e /proc/$$/fd/$0", number, (char *)0);
    _exit(2);
  }
  if (waitpid(child, &status, 0) < 0 || !WIFEXITED(status)) exit(2);
  return WEXITSTATUS(status) == 0;
}
)c"},
    {.name = "BLOCKED", .text = R"c(
/* A call that blocks, in a thread of its own. START() returns when it is
 * blocked, and END() when it has returned. INTERRUPT() sends a signal to the
 * thread, and returns when its handler has run or the call has returned.
 * STILL_BLOCKED() waits until the call is blocked again after it has been
 * woken: it must not return. */
struct blocked {
  pthread_t thread;
  pid_t id;
  long result;
  int error, has_returned;
};
#define BLOCKED(name, call)                                  \
  static struct blocked name;                                \
  static void *run_##name(void *unused) {                    \
    __atomic_store_n(&name.id, (pid_t)syscall(SYS_gettid), __ATOMIC_SEQ_CST); \
    errno = 0;                                               \
    name.result = call;                                      \
    name.error = errno;                                      \
    __atomic_store_n(&name.has_returned, 1, __ATOMIC_SEQ_CST); \
    return unused;                                           \
  }
#define START(name) start(#name, &name, run_##name)
#define END(name) end(&name)
#define INTERRUPT(name) interrupt(&name)
#define STILL_BLOCKED(name)                                  \
  do {                                                       \
    if (await_blocked(&name)) {                              \
      differs(__LINE__, #name, "blocked", "has returned");   \
    }                                                        \
  } while (0)
static int handled; /* signals */
static void on_signal(int number) {
  (void)number;
  __atomic_fetch_add(&handled, 1, __ATOMIC_SEQ_CST);
}
static void interrupt(struct blocked *call) {
  int before = __atomic_load_n(&handled, __ATOMIC_SEQ_CST);
  if (pthread_kill(call->thread, SIGUSR1) != 0) exit(2);
  while (__atomic_load_n(&handled, __ATOMIC_SEQ_CST) == before &&
         !__atomic_load_n(&call->has_returned, __ATOMIC_SEQ_CST)) {
    sched_yield();
  }
}
static int is_asleep(pid_t id) {
  char path[64], text[256] = "";
  FILE *file;
  snprintf(path, sizeof(path), "/proc/self/task/%d/stat", (int)id);
  file = fopen(path, "r");
  if (file == NULL) return 0;
  if (fgets(text, sizeof(text), file) == NULL) text[0] = 0;
  fclose(file);
  return strstr(text, ") S ") != NULL;
}
/* Whether the call has returned; if not, it is blocked. */
static int await_blocked(struct blocked *call) {
  delivered();
  while (!__atomic_load_n(&call->has_returned, __ATOMIC_SEQ_CST)) {
    pid_t id = __atomic_load_n(&call->id, __ATOMIC_SEQ_CST);
    if (id != 0 && is_asleep(id)) return 0;
    sched_yield();
  }
  return 1;
}
static void start(const char *name, struct blocked *call,
                  void *(*run)(void *)) {
  struct sigaction action = {.sa_handler = on_signal};
  delivered();
  sigaction(SIGUSR1, &action, NULL);
  if (pthread_create(&call->thread, NULL, run, NULL) != 0) exit(2);
  await_blocked(call);
  printf("%s begins\n", name);
}
static long end(struct blocked *call) {
  pthread_join(call->thread, NULL);
  errno = call->error;
  return call->result;
}
)c"},
};

// Variables that calls fill in. "$" is the end of their names: "_2" for a call
// in a thread of its own.
constexpr Part kVariables[] = {
    {.name = "address", .text = "static struct sockaddr_storage $;\n"},
    {.name = "length", .text = "static socklen_t $;\n"},
    {.name = "value", .text = "static int $;\n"},
    {.name = "linger_value", .text = "static struct linger $;\n"},
    {.name = "time_value", .text = "static struct timeval $;\n"},
    {.name = "time_left", .text = "static struct timespec $;\n"},
    {.name = "timer_value", .text = "static struct itimerspec $;\n"},
    {.name = "set1", .text = "static fd_set $;\n"},
    {.name = "set2", .text = "static fd_set $;\n"},
    {.name = "set3", .text = "static fd_set $;\n"},
    {.name = "offset1", .text = "static loff_t $;\n"},
    {.name = "offset2", .text = "static off_t $;\n"},
    {.name = "offset3", .text = "static loff_t $;\n"},
    {.name = "info", .text = "static struct tcp_info $;\n"},
    {.name = "message", .text = "static struct msghdr $;\n"},
    {.name = "messages", .text = "static struct mmsghdr $[16];\n"},
    {.name = "control", .text = "static char $[512];\n"},
    {.name = "polled", .text = "static struct pollfd $[1024];\n"},
    {.name = "events", .text = "static struct epoll_event $[1024];\n"},
    {.name = "pair", .text = "static int $[2];\n"},
    {.name = "buffer", .text = "static char $[SIZE];\n"},
    {.name = "payload", .text = "static char $[SIZE];\n"},
};

// Returns the names in C code, without the texts of literals.
std::set<std::string> NamesIn(absl::string_view code) {
  std::set<std::string> names;
  std::string name;
  bool is_literal = false;
  for (size_t i = 0; i < code.size(); ++i) {
    const auto c = static_cast<unsigned char>(code[i]);
    if (is_literal && c == '\\') {
      ++i;
    } else if (c == '"') {
      is_literal = !is_literal;
    } else if (!is_literal && (absl::ascii_isalnum(c) || c == '_')) {
      name += code[i];
      continue;
    }
    names.insert(std::move(name));
    name.clear();
  }
  names.insert(name);
  return names;
}

// Returns the definitions of the variables with these names, apart from those
// that the parts of the prologue have as parameters.
std::string VariablesOf(const std::set<std::string>& names, size_t size) {
  std::string text;
  for (const Part& variable : kVariables) {
    for (const std::string& name : names) {
      absl::string_view rest = name;
      if (!absl::ConsumePrefix(&rest, variable.name)) continue;
      if (!rest.empty() && rest.front() != '_') continue;
      absl::StrAppend(&text, absl::StrReplaceAll(
                                 variable.text,
                                 {{"$", name}, {"SIZE", absl::StrCat(size)}}));
    }
  }
  return text;
}

}  // namespace

std::string PrologueFor(absl::string_view code, size_t size) {
  std::set<std::string> names = NamesIn(code);
  if (names.contains("SENDS")) names.insert("payload");
  if (names.contains("RECEIVES")) names.insert("buffer");
  const std::string variables = VariablesOf(names, size);
  // A part uses earlier ones.
  std::string parts;
  for (auto part = std::rbegin(kParts); part != std::rend(kParts); ++part) {
    if (!names.contains(std::string(part->name))) continue;
    names.merge(NamesIn(part->text));
    parts = absl::StrCat(part->text, parts);
  }
  return absl::StrCat(kIncludes, variables.empty() ? "" : "\n", variables,
                      parts);
}

}  // namespace net::conformance
