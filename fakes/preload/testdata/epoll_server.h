#ifndef FAKES_PRELOAD_TESTDATA_EPOLL_SERVER_H_
#define FAKES_PRELOAD_TESTDATA_EPOLL_SERVER_H_

#include <cstdint>
#include <map>
#include <string>

// A server that does not know this project. It sends each line back in
// capitals, and closes a connection that was idle for a minute.
class EpollServer {
 public:
  // Listens on a port of 127.0.0.1 that the system picks. Throws
  // std::system_error.
  EpollServer();
  EpollServer(const EpollServer&) = delete;
  EpollServer& operator=(const EpollServer&) = delete;
  ~EpollServer();

  uint16_t port() const { return port_; }
  // Serves until Stop().
  void Run();
  // Ends Run(). May be called from any thread.
  void Stop() const;

 private:
  struct Connection {
    std::string line;
    int64_t last_ms = 0;
  };

  void Watch(int fd) const;
  void AcceptAll();
  void ReadAll(int fd);
  void CloseIdle();

  int listener_ = -1;
  int epoll_ = -1;
  int stop_ = -1;
  uint16_t port_ = 0;
  std::map<int, Connection> connections_;
};

#endif  // FAKES_PRELOAD_TESTDATA_EPOLL_SERVER_H_
