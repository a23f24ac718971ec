#include "conformance/driver_host/answer.h"

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <map>
#include <optional>
#include <ostream>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "conformance/engine/files.h"
#include "conformance/engine/runfiles.h"
#include "conformance/suite/result.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "syscalls/errors/error_kind.h"
#include "syscalls/net/endpoint.h"

namespace net::conformance {

void PrintTo(Hello::Capability capability, std::ostream* os) {
  static constexpr const char* kNames[] = {"kYes", "kNo", "kPlatform"};
  *os << kNames[static_cast<int>(capability)];
}

namespace {

using Json = nlohmann::json;
using testing::HasSubstr;

// Returns the answers among the samples of PROTOCOL.md, in order.
std::vector<std::string> AnswerSamples() {
  const auto path = FindRunfile("conformance/drivers/PROTOCOL.md");
  const auto text = ReadFile(path.value_or("PROTOCOL.md"));
  if (!text.ok()) {
    ADD_FAILURE() << text.status();
    return {};
  }
  std::vector<std::string> samples;
  const std::vector<std::string> parts = absl::StrSplit(*text, "```json\n");
  for (size_t i = 1; i < parts.size(); ++i) {
    const std::string sample = parts[i].substr(0, parts[i].find("```"));
    if (!absl::StrContains(sample, "\"command\"")) samples.push_back(sample);
  }
  return samples;
}

// Returns the `ok` of the sample with this id.
Json OkOfSample(uint64_t id) {
  for (const std::string& sample : AnswerSamples()) {
    const absl::StatusOr<Answer> answer = ParseAnswer(sample);
    if (!answer.ok() || answer->id != id) continue;
    if (const Json* ok = std::get_if<Json>(&answer->content)) return *ok;
  }
  ADD_FAILURE() << "no sample " << id;
  return Json::object();
}

TEST(SamplesTest, AllAnswersAreAnswers) {
  const std::vector<std::string> samples = AnswerSamples();
  // One for each command, and those that are not `ok`.
  EXPECT_GE(samples.size(), 16U);
  for (const std::string& sample : samples) {
    const absl::StatusOr<Answer> answer = ParseAnswer(sample);
    EXPECT_TRUE(answer.ok()) << answer.status() << "\n" << sample;
  }
}

TEST(SamplesTest, HelloTellsAllThatItSays) {
  const Hello hello = HelloFrom(OkOfSample(1));
  EXPECT_EQ(hello.name, "python");
  EXPECT_EQ(hello.implementation_version, "3.11.2");
  EXPECT_EQ(hello.language, "Python");
  EXPECT_EQ(hello.pid, 4711);
  EXPECT_EQ(hello.signal, SIGUSR2);
  using enum Hello::Capability;
  EXPECT_EQ(hello.capabilities, (std::map<std::string, Hello::Capability>{
                                    {"descriptors", kYes},
                                    {"errno", kYes},
                                    {"keepalive", kYes},
                                    {"reuseport", kPlatform},
                                    {"pending_error", kNo},
                                }));
  EXPECT_EQ(hello.operations, 1U);
  EXPECT_EQ(hello.data, 65536U);
}

TEST(SamplesTest, MembersHaveTheirValues) {
  EXPECT_EQ(NumberIn(OkOfSample(2), "socket"), 1U);
  EXPECT_EQ(NumberIn(OkOfSample(2), "port"), 40123U);
  EXPECT_EQ(EndpointFrom(OkOfSample(7).at("endpoint")),
            *ip::Endpoint::Parse("127.0.0.1:40123"));
  EXPECT_EQ(TextIn(OkOfSample(9), "data"), "aGVsbG8=");
}

TEST(HelloTest, WhatMayBeLeftOutHasDefaults) {
  const Hello hello = HelloFrom({{"version", 1U},
                                 {"name", "n"},
                                 {"implementation_version", "1"},
                                 {"language", "l"},
                                 {"pid", 1U}});
  EXPECT_EQ(hello.signal, std::nullopt);
  EXPECT_TRUE(hello.capabilities.empty());
  EXPECT_EQ(hello.operations, std::nullopt);
  EXPECT_EQ(hello.data, 65536U);
}

std::string MessageOf(const Json& hello) {
  try {
    static_cast<void>(HelloFrom(hello));
  } catch (const DriverError& e) {
    return e.what();
  }
  return "it was accepted";
}

TEST(HelloTest, AWrongMemberIsNamed) {
  const struct {
    Json changes;  // null: the member is left out
    const char* message;
  } hellos[] = {
      {{{"version", 2U}}, "`version` must be one of the offered"},
      {{{"version", nullptr}}, "`version` must be an integer"},
      {{{"name", nullptr}}, "`name` must be a string"},
      {{{"language", 3}}, "`language` must be a string"},
      {{{"pid", -1}}, "`pid` must be an integer, at least 0"},
      {{{"pid", "4711"}}, "`pid` must be an integer, at least 0"},
      {{{"signal", "SIGNOTHING"}},
       "`signal` must be SIGUSR1, SIGUSR2 or a real-time"},
      {{{"signal", 12}}, "`signal` must be a string"},
      {{{"capabilities", Json::array()}}, "`capabilities` must be an object"},
      {{{"capabilities", {{"errno", "maybe"}}}},
       "`capabilities` must be an object of \"yes\", \"no\""},
      {{{"capabilities", {{"errno", true}}}},
       "`capabilities` must be an object of \"yes\", \"no\""},
      {{{"limits", 1}}, "`limits` must be an object"},
      {{{"limits", {{"operations", "one"}}}},
       "`operations` must be an integer"},
      {{{"limits", {{"data", 0U}}}}, "`data` must be at least 1"},
  };
  for (const auto& hello : hellos) {
    Json changed = OkOfSample(1);
    changed.merge_patch(hello.changes);
    EXPECT_THAT(MessageOf(changed), HasSubstr(hello.message));
  }
}

TEST(HelloTest, OnlySignalsThatMeanNothingByThemselvesAreAccepted) {
  const auto signal_of = [](const std::string& name) {
    Json hello = OkOfSample(1);
    hello["signal"] = name;
    return HelloFrom(hello).signal;
  };
  EXPECT_EQ(signal_of("SIGUSR1"), SIGUSR1);
  EXPECT_EQ(signal_of("SIGUSR2"), SIGUSR2);
  EXPECT_EQ(signal_of("SIGRTMIN"), SIGRTMIN);
  EXPECT_EQ(signal_of("SIGRTMIN+3"), SIGRTMIN + 3);
  EXPECT_EQ(signal_of("SIGRTMAX"), SIGRTMAX);
  EXPECT_EQ(signal_of("SIGRTMAX-30"), SIGRTMAX - 30);
  for (const char* name :
       {"SIGKILL", "SIGTERM", "SIGSEGV", "SIGSTOP", "SIGALRM", "USR1", "10", "",
        "SIGRTMIN-1", "SIGRTMAX+1", "SIGRTMIN+31", "SIGRTMIN3", "SIGRTMIN+",
        "SIGRTMIN+4294967296", "SIGRTMIN+x"}) {
    EXPECT_THROW(signal_of(name), DriverError) << name;
  }
}

TEST(HelloTest, MoreDataThanAFrameHasRoomForIsNotOffered) {
  Json hello = OkOfSample(1);
  hello["limits"]["data"] = uint64_t{1} << 40;
  EXPECT_EQ(HelloFrom(hello).data, 512U * 1024);
}

// Numbers that do not fit their type are rejected, never truncated.
TEST(NumberTest, IsNeverNarrowed) {
  const struct {
    const char* json;
    bool is_port;
    bool is_int;
  } numbers[] = {
      {"0", true, true},
      {"65535", true, true},
      {"65536", false, true},
      {"2147483647", false, true},
      {"2147483648", false, false},
      {"4294967301", false, false},  // 2^32 + 5
      {"18446744073709551615", false, false},
      {"18446744073709551621", false, false},  // 2^64 + 5
      {"-1", false, false},
      {"5.0", false, false},
      {"5e0", false, false},
      {"\"5\"", false, false},
      {"true", false, false},
      {"null", false, false},
      {"[5]", false, false},
      {"{}", false, false},
  };
  const auto is_accepted = [](const auto& read) {
    try {
      read();
      return true;
    } catch (const DriverError&) {
      return false;
    }
  };
  for (const auto& [text, is_port, is_int] : numbers) {
    const Json ok = {{"n", Json::parse(text)},
                     {"list", Json::array({Json::parse(text)})}};
    EXPECT_EQ(is_accepted([&] { PortIn(ok, "n"); }), is_port) << text;
    EXPECT_EQ(is_accepted([&] { PortsIn(ok, "list", 1); }), is_port) << text;
    EXPECT_EQ(is_accepted([&] { IntIn(ok, "n", 0); }), is_int) << text;
  }
  EXPECT_FALSE(is_accepted([] { PortIn(Json::object(), "n"); }));
  EXPECT_FALSE(is_accepted([] { IntIn({{"n", 0U}}, "n", 1); }));
}

TEST(NumberTest, PortsAreAsManyAsWereAskedFor) {
  EXPECT_THAT(PortsIn({{"ports", {1U, 65535U}}}, "ports", 2),
              testing::ElementsAre(1, 65535));
  for (const Json& ports : {Json({1U}), Json({1U, 2U, 3U}), Json({1U, "2"}),
                            Json({1U, 65536U}), Json("12"), Json(2U), Json()}) {
    EXPECT_THROW(PortsIn({{"ports", ports}}, "ports", 2), DriverError) << ports;
  }
  EXPECT_THROW(PortsIn(Json::object(), "ports", 2), DriverError);
}

TEST(ParseAnswerTest, TellsErrnoAndKind) {
  const auto error_of = [](absl::string_view json) {
    const auto answer =
        ParseAnswer(absl::StrCat(R"({"id": 3, "error": )", json, "}"));
    EXPECT_TRUE(answer.ok()) << answer.status();
    return std::get<Error>(answer->content);
  };
  const Error both = error_of(R"({"errno": "EPIPE", "kind": "broken_pipe"})");
  EXPECT_EQ(both.error_number, EPIPE);
  EXPECT_EQ(both.kind, ErrorKind::kBrokenPipe);
  // The aliases in errno.h.
  EXPECT_EQ(error_of(R"({"errno": "EWOULDBLOCK"})").error_number, EAGAIN);
  const Error kind = error_of(R"({"kind": "refused", "text": "no luck"})");
  EXPECT_EQ(kind.error_number, std::nullopt);
  EXPECT_EQ(kind.kind, ErrorKind::kRefused);
  EXPECT_EQ(kind.text, "no luck");
}

TEST(ParseAnswerTest, TellsClaimsAndFaults) {
  const auto claim = ParseAnswer(R"({"id":1,"unsupported":{"reason":"why"}})");
  ASSERT_TRUE(claim.ok());
  EXPECT_EQ(std::get<Unsupported>(claim->content).reason, "why");
  const auto fault = ParseAnswer(R"({"id":1,"internal":{"text":"KeyError"}})");
  ASSERT_TRUE(fault.ok());
  EXPECT_EQ(std::get<Internal>(fault->content).text, "KeyError");
}

TEST(ParseAnswerTest, IgnoresMembersThatItDoesNotKnow) {
  EXPECT_TRUE(ParseAnswer(R"({"id": 1, "ok": {}, "colour": "blue"})").ok());
}

TEST(ParseAnswerTest, SaysInWhatAMessageIsNoAnswer) {
  const struct {
    const char* message;
    const char* why;
  } messages[] = {
      {"", "a message must be a JSON object"},
      {"ok", "a message must be a JSON object"},
      {R"({"id": 1, "ok": {})", "a message must be a JSON object"},
      {R"([{"id": 1, "ok": {}}])", "a message must be a JSON object"},
      {R"({"ok": {}})", "an answer must have the `id` of its command"},
      {R"({"id": "1", "ok": {}})",
       "an answer must have the `id` of its command"},
      {R"({"id": -1, "ok": {}})",
       "an answer must have the `id` of its command"},
      {R"({"id": 1.5, "ok": {}})",
       "an answer must have the `id` of its command"},
      {R"({"id": 1e400, "ok": {}})", "a message must be a JSON object"},
      {R"({"id": 18446744073709551617, "ok": {}})",
       "an answer must have the `id` of its command"},
      {R"({"id": 1})", "an answer must have exactly one of `ok`, `error`"},
      {R"({"id": 1, "ok": {}, "unsupported": {"reason": "both"}})",
       "an answer must have exactly one of `ok`, `error`"},
      {R"({"id": 1, "ok": null})", "`ok` must be an object"},
      {R"({"id": 1, "ok": [1]})", "`ok` must be an object"},
      {R"({"id": 1, "error": "ECONNREFUSED"})", "`error` must be an object"},
      {R"({"id": 1, "error": {}})",
       "an `error` must have an `errno` or a `kind`"},
      {R"({"id": 1, "error": {"errno": 111}})",
       "an `error` must have an `errno` or a `kind`"},
      {R"({"id": 1, "error": {"errno": "EREFUSED"}})",
       "unknown errno 'EREFUSED'"},
      {R"({"id": 1, "error": {"kind": "unlucky"}})", "unknown kind 'unlucky'"},
      {R"({"id": 1, "error": {"errno": "EPIPE", "kind": "refused"}})",
       "EPIPE is of kind 'broken_pipe', not 'refused'"},
      {R"({"id": 1, "unsupported": true})", "`unsupported` must be an object"},
  };
  for (const auto& one : messages) {
    const absl::StatusOr<Answer> answer = ParseAnswer(one.message);
    ASSERT_FALSE(answer.ok()) << one.message;
    EXPECT_THAT(std::string(answer.status().message()), HasSubstr(one.why))
        << one.message;
  }
}

TEST(EndpointTest, AWrongEndpointIsShown) {
  const struct {
    Json json;
    const char* why;
  } endpoints[] = {
      {{{"port", 1U}}, "`address` must be a string"},
      {{{"address", "::1"}}, "`port` must be 0 to 65535"},
      {{{"address", "localhost"}, {"port", 1U}},
       "`address` must be an IP address"},
      {{{"address", "::1"}, {"port", 65536U}}, "`port` must be 0 to 65535"},
  };
  for (const auto& one : endpoints) {
    try {
      static_cast<void>(EndpointFrom(one.json));
      ADD_FAILURE() << one.json;
    } catch (const DriverError& e) {
      EXPECT_THAT(e.what(), HasSubstr(one.why));
    }
  }
}

}  // namespace
}  // namespace net::conformance
