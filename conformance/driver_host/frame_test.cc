#include "conformance/driver_host/frame.h"

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gtest/gtest.h"

namespace net::conformance {
namespace {

TEST(EncodeFrameTest, IsTheLengthANewlineAndTheMessage) {
  EXPECT_EQ(EncodeFrame("{}"), "2\n{}");
  EXPECT_EQ(EncodeFrame(""), "0\n");
  // The length counts bytes, not characters.
  EXPECT_EQ(EncodeFrame("\u00e9"), "2\n\u00e9");
}

class FrameReaderTest : public testing::Test {
 protected:
  void ExpectMessage(absl::string_view message) {
    const auto next = reader_.Next();
    ASSERT_TRUE(next.ok()) << next.status();
    EXPECT_EQ(*next, std::optional<std::string>(message));
  }
  void ExpectNothingYet() {
    const auto next = reader_.Next();
    ASSERT_TRUE(next.ok()) << next.status();
    EXPECT_EQ(*next, std::nullopt);
  }
  // Reads bytes that are not a frame.
  void ExpectError(absl::string_view bytes, absl::string_view message) {
    FrameReader reader;
    reader.Append(bytes);
    const auto next = reader.Next();
    ASSERT_FALSE(next.ok()) << bytes;
    EXPECT_TRUE(absl::StrContains(next.status().message(), message))
        << next.status();
  }

  FrameReader reader_;
};

TEST_F(FrameReaderTest, NothingIsNoMessageYet) { ExpectNothingYet(); }

TEST_F(FrameReaderTest, ReadsWhatEncodeFrameWrites) {
  for (const std::string& message :
       {std::string("{}"), std::string(), std::string("1\n2\n"),
        std::string(kMaxFrame, 'x')}) {
    reader_.Append(EncodeFrame(message));
    ExpectMessage(message);
    ExpectNothingYet();
  }
}

TEST_F(FrameReaderTest, PutsBytesThatComeOneByOneTogether) {
  const std::string frame = EncodeFrame(R"({"id": 1234})");
  for (const char& byte : frame) {
    ExpectNothingYet();
    reader_.Append({&byte, 1});
  }
  ExpectMessage(R"({"id": 1234})");
}

TEST_F(FrameReaderTest, TakesFramesThatComeAtOnceApart) {
  reader_.Append("5\nfirst0\n6\nsecond3\nth");
  ExpectMessage("first");
  ExpectMessage("");
  ExpectMessage("second");
  ExpectNothingYet();
  EXPECT_EQ(reader_.rest(), "3\nth");
  reader_.Append("i");
  ExpectMessage("thi");
  EXPECT_EQ(reader_.rest(), "");
}

TEST_F(FrameReaderTest, WhatIsNoLengthIsAnErrorThatShowsIt) {
  const char* expected = "expected a length and a newline, got ";
  ExpectError("hello\n", absl::StrCat(expected, "'hello\\n'"));
  // It fails at once and does not wait for a newline, which may never arrive.
  ExpectError("x", absl::StrCat(expected, "'x'"));
  ExpectError("-1\n", expected);
  ExpectError(" 2\n{}", expected);
  ExpectError("2\r\n{}", absl::StrCat(expected, "'2\\r\\n{}'"));
  ExpectError("\n{}", expected);
  // A line that a library printed to the channel.
  ExpectError(std::string(1000, 'z'), "zzz...'");
}

TEST_F(FrameReaderTest, ALengthHasAtMostEightDigits) {
  ExpectError("000000002\n{}", "expected a length");
  ExpectError("000000002", "expected a length");
  reader_.Append("00000002\n{}");
  ExpectMessage("{}");
}

TEST_F(FrameReaderTest, AFrameHasAtMostAMebibyte) {
  ExpectError("1048577\n",
              "a frame of 1048577 bytes; at most 1048576 are allowed");
  ExpectError("99999999\n", "a frame of 99999999 bytes");
}

TEST_F(FrameReaderTest, AWrongLengthShowsInTheNextFrame) {
  reader_.Append("3\n{\"id\": 1}2\n{}");
  ExpectMessage("{\"i");
  const auto next = reader_.Next();
  ASSERT_FALSE(next.ok());
  EXPECT_TRUE(
      absl::StrContains(next.status().message(), "previous length wrong"))
      << next.status();
}

TEST_F(FrameReaderTest, DescribesAFrameThatIsNotWhole) {
  EXPECT_EQ(reader_.DescribeRest(), "");
  reader_.Append("13");
  EXPECT_EQ(reader_.DescribeRest(), "'13' arrived, and no newline after it");
  reader_.Append("3\n{\"id\"");
  EXPECT_EQ(reader_.DescribeRest(), "the frame announces 133 bytes, 5 arrived");
}

}  // namespace
}  // namespace net::conformance
