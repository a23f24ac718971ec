// Makes a TCP socket without the C library, and prints its number.

#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/syscall.h>

int main(void) {
  long result;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(SYS_socket), "D"(AF_INET), "S"(SOCK_STREAM),
                     "d"(IPPROTO_TCP)
                   : "rcx", "r11", "memory");
  printf("%ld\n", result);
  return result < 0;
}
