#include "conformance/driver_host/unrepeatable.h"

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace net::conformance {
namespace {

using Json = nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

// Builds a session line by line.
class UnrepeatableTest : public testing::Test {
 protected:
  // Adds a command and its answer.
  void Say(int id, const std::string& command, Json members = Json::object()) {
    members["id"] = id;
    members["command"] = command;
    lines_.push_back(
        {.kind = RecordedLine::Kind::kCommand, .message = std::move(members)});
  }
  void Receive(int id, Json ok = Json::object()) {
    lines_.push_back({.kind = RecordedLine::Kind::kAnswer,
                      .message = {{"id", id}, {"ok", std::move(ok)}}});
  }
  void HearError(int id, const std::string& symbol) {
    lines_.push_back({.kind = RecordedLine::Kind::kAnswer,
                      .message = {{"id", id}, {"error", {{"errno", symbol}}}}});
  }
  void Peer(const std::string& call) {
    lines_.push_back(
        {.kind = RecordedLine::Kind::kPeer, .message = {}, .text = call});
  }
  void Change(const std::string& change) {
    lines_.push_back(
        {.kind = RecordedLine::Kind::kChange, .message = {}, .text = change});
  }

  // Socket 1 listens on port 40001.
  void Listen() {
    Say(1, "listen", {{"port", 0}});
    Receive(1, {{"socket", 1}, {"port", 40001}});
  }

  // Returns the ids that are not sent again.
  std::vector<int> Skipped() const {
    std::vector<int> ids;
    for (const auto& [id, reason] : FindUnrepeatable(lines_)) ids.push_back(id);
    return ids;
  }

  std::vector<RecordedLine> lines_;
};

TEST_F(UnrepeatableTest, WhatTheDriverDoesWithItselfIsSentAgain) {
  Listen();
  Say(2, "connect", {{"port", 40001}});
  Receive(2, {{"socket", 2}});
  Say(3, "accept", {{"socket", 1}});
  Receive(3, {{"socket", 3}});
  Say(4, "recv", {{"socket", 3}});
  Say(5, "send", {{"socket", 2}});
  Receive(5);
  Receive(4);
  Say(6, "connect", {{"port", 40009}});
  HearError(6, "ECONNREFUSED");
  Say(7, "reset");
  Receive(7);
  EXPECT_THAT(Skipped(), IsEmpty());
}

TEST_F(UnrepeatableTest, AConnectionFromAPeerIsNotThere) {
  Listen();
  Say(2, "accept", {{"socket", 1}});
  Peer("connect(5, {AF_INET, 127.0.0.1:40001}, 16) = 0");
  Receive(2, {{"socket", 2}});
  Say(3, "recv", {{"socket", 2}});
  Receive(3);
  Say(4, "localaddr", {{"socket", 1}});
  Receive(4);
  EXPECT_THAT(Skipped(), ElementsAre(2, 3));
}

TEST_F(UnrepeatableTest, AConnectionThatNobodyOfTheSessionMadeIsAPeers) {
  Listen();
  Say(2, "accept", {{"socket", 1}});
  Receive(2, {{"socket", 2}});
  EXPECT_THAT(Skipped(), ElementsAre(2));
}

TEST_F(UnrepeatableTest, AnAdoptedDescriptorIsNotThere) {
  Say(1, "adopt");
  Receive(1, {{"socket", 1}});
  Say(2, "close", {{"socket", 1}});
  Receive(2);
  EXPECT_THAT(Skipped(), ElementsAre(1, 2));
}

TEST_F(UnrepeatableTest, APeerThatListensIsNotThere) {
  Peer("listen(5, 10) = 0");
  Say(1, "connect", {{"port", 40002}});
  Receive(1, {{"socket", 1}});
  Say(2, "peeraddr", {{"socket", 1}});
  Receive(2);
  Say(3, "close", {{"socket", 1}});
  Receive(3);
  EXPECT_THAT(Skipped(), ElementsAre(1, 2, 3));
}

TEST_F(UnrepeatableTest,
       ListenersThatShareAPortGetConnectionsAsTheKernelLikes) {
  Listen();
  Say(2, "listen", {{"port", 40001}});
  Receive(2, {{"socket", 2}, {"port", 40001}});
  Say(3, "connect", {{"port", 40001}});
  Receive(3, {{"socket", 3}});
  Say(4, "accept", {{"socket", 1}});
  Receive(4, {{"socket", 4}});
  EXPECT_THAT(Skipped(), ElementsAre(3, 4));
}

TEST_F(UnrepeatableTest, APortThatAPeerHasBoundIsFreeNow) {
  Peer("bind(5, {AF_INET, 127.0.0.1:0}, 16) = 0");
  Say(1, "listen", {{"port", 40001}});
  HearError(1, "EADDRINUSE");
  Say(2, "listen", {{"port", 0}});
  HearError(2, "EACCES");
  EXPECT_THAT(Skipped(), ElementsAre(1));
}

TEST_F(UnrepeatableTest, AfterAChangeByTheRunnerNothingIsSent) {
  Listen();
  Say(2, "accept", {{"socket", 1}});
  Change("sent a signal");
  HearError(2, "EINTR");
  Say(3, "reset");
  Receive(3);
  EXPECT_THAT(FindUnrepeatable(lines_),
              ElementsAre(Pair(2, HasSubstr("sent a signal")),
                          Pair(3, HasSubstr("sent a signal"))));
}

TEST_F(UnrepeatableTest, WhatWasNeverAnsweredIsNotSent) {
  Listen();
  Say(2, "accept", {{"socket", 1}});
  EXPECT_THAT(Skipped(), ElementsAre(2));
}

TEST_F(UnrepeatableTest, MembersOfAnyKindAreNoMistake) {
  lines_ = {{.kind = RecordedLine::Kind::kCommand, .message = "text"},
            {.kind = RecordedLine::Kind::kAnswer, .message = {1, 2}},
            {.kind = RecordedLine::Kind::kAnswer,
             .message = {{"id", "one"}, {"ok", 3}}},
            {.kind = RecordedLine::Kind::kPeer, .message = {}, .text = "("}};
  FindUnrepeatable(lines_);
}

}  // namespace
}  // namespace net::conformance
