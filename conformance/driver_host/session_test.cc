#include "conformance/driver_host/session.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <memory>
#include <string>
#include <thread>

#include "absl/strings/string_view.h"
#include "conformance/driver_host/answer.h"
#include "conformance/driver_host/frame.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

// A session whose driver is this test.

namespace net::conformance {
namespace {

using testing::HasSubstr;

class SessionTest : public testing::Test {
 protected:
  SessionTest() {
    EXPECT_EQ(pipe2(commands_.data(), O_CLOEXEC), 0);
    EXPECT_EQ(pipe2(answers_.data(), O_CLOEXEC), 0);
    session_ = std::make_unique<Session>(
        Channel{.read_fd = answers_[0], .write_fd = commands_[1]});
  }
  ~SessionTest() override {
    for (const auto& ends : {commands_, answers_}) {
      for (const int fd : ends) {
        if (fd >= 0) close(fd);
      }
    }
  }

  // Sends a command that fails, and returns the text of the DriverError.
  std::string ErrorOfCall(const nlohmann::json& command = {
                              {"command", "accept"}}) {
    try {
      session_->Call(command);
    } catch (const DriverError& e) {
      return e.what();
    }
    return "it was answered";
  }

  void CloseReadingEnd() {
    close(commands_[0]);
    commands_[0] = -1;
  }
  // Waits until a command has been sent.
  void AwaitCommand() const {
    char byte = 0;
    EXPECT_EQ(read(commands_[0], &byte, 1), 1);
  }
  // Waits until writing a command would block.
  void AwaitFullPipe() const {
    pollfd event = {.fd = commands_[1], .events = POLLOUT, .revents = 0};
    while (poll(&event, 1, 0) == 1) std::this_thread::yield();
  }
  void Answer(absl::string_view bytes) const {
    EXPECT_EQ(write(answers_[1], bytes.data(), bytes.size()),
              static_cast<ssize_t>(bytes.size()));
  }

  std::array<int, 2> commands_ = {};
  std::array<int, 2> answers_ = {};
  std::unique_ptr<Session> session_;
};

TEST_F(SessionTest, ADriverThatReadsNoMoreRaisesNoSigpipe) {
  ASSERT_EQ(std::signal(SIGPIPE, SIG_DFL), SIG_DFL);
  CloseReadingEnd();
  EXPECT_THAT(ErrorOfCall(), HasSubstr("no longer reads commands: EPIPE"));
  // And no SIGPIPE is pending.
  sigset_t pending = {};
  ASSERT_EQ(sigpending(&pending), 0);
  EXPECT_EQ(sigismember(&pending, SIGPIPE), 0);
  sigset_t blocked = {};
  ASSERT_EQ(pthread_sigmask(SIG_BLOCK, nullptr, &blocked), 0);
  EXPECT_EQ(sigismember(&blocked, SIGPIPE), 0);
}

TEST_F(SessionTest, ASigpipeOfSomebodyElseIsKept) {
  sigset_t sigpipe = {};
  sigemptyset(&sigpipe);
  sigaddset(&sigpipe, SIGPIPE);
  ASSERT_EQ(pthread_sigmask(SIG_BLOCK, &sigpipe, nullptr), 0);
  ASSERT_EQ(std::raise(SIGPIPE), 0);
  CloseReadingEnd();
  EXPECT_THAT(ErrorOfCall(), HasSubstr("EPIPE"));
  sigset_t pending = {};
  ASSERT_EQ(sigpending(&pending), 0);
  EXPECT_EQ(sigismember(&pending, SIGPIPE), 1);
  int signal = 0;
  EXPECT_EQ(sigwait(&sigpipe, &signal), 0);
  ASSERT_EQ(pthread_sigmask(SIG_UNBLOCK, &sigpipe, nullptr), 0);
}

TEST_F(SessionTest, AThreadThatWaitsForAnAnswerIsWokenWhenAnotherBreaksIt) {
  std::string error;
  std::thread waits([&] { error = ErrorOfCall(); });
  AwaitCommand();
  CloseReadingEnd();
  EXPECT_THAT(ErrorOfCall(), HasSubstr("EPIPE"));
  waits.join();
  EXPECT_THAT(error, HasSubstr("EPIPE"));
}

TEST_F(SessionTest, AThreadThatCannotWriteIsWokenWhenAnotherBreaksIt) {
  std::string error_of_reader;
  std::thread reads([&] { error_of_reader = ErrorOfCall(); });
  AwaitCommand();
  // More than fits a pipe that nobody reads.
  const std::string large(kMaxFrame - 200, 'x');
  std::string error_of_writer;
  std::thread writes([&] { error_of_writer = ErrorOfCall({{"data", large}}); });
  AwaitFullPipe();
  Answer("rubbish\n");
  reads.join();
  writes.join();
  EXPECT_THAT(error_of_reader, HasSubstr("broke the protocol"));
  EXPECT_THAT(error_of_writer, HasSubstr("broke the protocol"));
}

TEST_F(SessionTest, AnEndInTheMiddleOfAFrameIsDescribed) {
  Answer("24\n{\"id\": 1");
  close(answers_[1]);
  answers_[1] = -1;
  EXPECT_THAT(ErrorOfCall(),
              HasSubstr("in the middle of a frame: the frame announces 24 "
                        "bytes, 8 arrived: '24\\n{\\\"id"));
}

}  // namespace
}  // namespace net::conformance
