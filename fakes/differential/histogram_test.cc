#include "fakes/differential/histogram.h"

#include <netinet/tcp.h>

#include <algorithm>
#include <cerrno>

#include "fakes/call.h"
#include "fakes/differential/observation.h"
#include "fakes/differential/program.h"
#include "gtest/gtest.h"
#include "syscalls/sys_result.h"

namespace net::differential {
namespace {

Observation Answer(SysResult result, int tcp_state) {
  Observation seen;
  seen.result = result;
  seen.tcp_state = tcp_state;
  return seen;
}

Histogram Sample() {
  Step listen;
  listen.call = Call::kListen;
  Step close;
  close.call = Call::kClose;
  Histogram histogram;
  histogram.Add({listen, listen, close},
                {Answer(SysResult::Ok(), TCP_CLOSE),
                 Answer(SysResult::Error(EADDRINUSE), TCP_CLOSE),
                 Answer(SysResult::Error(EBADF), 0)});
  return histogram;
}

TEST(HistogramTest, CountsResultsByState) {
  EXPECT_EQ(Sample().ToText(),
            "listen 0 CLOSED 1\n"
            "listen EADDRINUSE CLOSED 1\n"
            "close EBADF - 1\n");
  EXPECT_EQ(Sample().Count(Call::kListen, EADDRINUSE), 1);
  EXPECT_EQ(Sample().Count(Call::kListen, EBADF), 0);
}

TEST(HistogramTest, CountsOnlyCallsThatWereMade) {
  Observation skipped = Answer(SysResult(), 0);
  skipped.skipped = true;
  Histogram histogram;
  histogram.Add({Step()}, {skipped});
  EXPECT_EQ(histogram.ToText(), "");
}

TEST(HistogramTest, ReadsBackWhatItWrites) {
  Histogram histogram;
  ASSERT_TRUE(histogram.Parse(Sample().ToText()).ok());
  histogram.Add(Sample());
  EXPECT_EQ(histogram.Count(Call::kClose, EBADF), 2);
}

TEST(HistogramTest, RefusesOtherTexts) {
  Histogram histogram;
  EXPECT_FALSE(histogram.Parse("listen").ok());
  EXPECT_FALSE(histogram.Parse("lisp EBADF - 1").ok());
  EXPECT_FALSE(histogram.Parse("listen EBAD - 1").ok());
  EXPECT_FALSE(histogram.Parse("listen EBADF ASLEEP 1").ok());
  EXPECT_FALSE(histogram.Parse("listen EBADF - many").ok());
}

TEST(HistogramTest, RequiresWhatProgramsCanReach) {
  const auto rows = RequiredRows(Sample());
  const auto has = [&rows](Call call, int error) {
    return std::any_of(rows.begin(), rows.end(), [&](const RequiredRow& row) {
      return row.call == call && row.error == error;
    });
  };
  EXPECT_TRUE(has(Call::kConnect, ECONNREFUSED));
  EXPECT_TRUE(has(Call::kAccept4, EMFILE));
  EXPECT_FALSE(has(Call::kConnect, EINTR));
  EXPECT_FALSE(has(Call::kConnect, ETIMEDOUT));
  EXPECT_FALSE(has(Call::kAccept4, ENFILE));
  EXPECT_EQ(rows.size(), 71U);
}

}  // namespace
}  // namespace net::differential
