#include "fakes/kernel/tcp/send_side.h"

#include <cstdint>

#include "gtest/gtest.h"

namespace net::fake {
namespace {

using Hold = SendSide::Hold;

constexpr uint32_t kSegment = 1000;

// A connection whose SYN has been acknowledged. The window is large.
class SendSideTest : public testing::Test {
 protected:
  SendSideTest() {
    side_.Start();
    side_.set_mss(kSegment, /*first_window=*/30 * kSegment);
    side_.OnAck(1);
    side_.OnWindow(1, 30 * kSegment);
  }

  // Expects that the next segment is so, and sends it.
  void Sends(uint32_t size, bool fin = false, Hold hold = Hold::kNagle) {
    const SendSide::Piece piece = side_.Next(hold);
    EXPECT_EQ(piece.size, size);
    EXPECT_EQ(piece.fin, fin);
    side_.OnSent(piece);
  }
  void SendsNothing(Hold hold = Hold::kNagle) {
    EXPECT_TRUE(side_.Next(hold).nothing());
  }

  SendSide side_;
};

TEST_F(SendSideTest, BeforeTheConnectionNothingIsUnacknowledged) {
  SendSide side;
  EXPECT_EQ(side.UnacknowledgedBytes(), 0U);
  side.Start();
  EXPECT_EQ(side.UnacknowledgedBytes(), 0U);
  EXPECT_TRUE(side.in_flight()) << "the SYN";
}

TEST_F(SendSideTest, CutsSegments) {
  side_.Write(2 * kSegment + 5);
  Sends(kSegment);
  Sends(kSegment);
  Sends(5);
  SendsNothing();
}

// RFC 896, as Linux's tcp_nagle_test(): full segments do not count.
TEST_F(SendSideTest, NagleHoldsASmallSegmentAfterASmallOneOnly) {
  side_.Write(kSegment);
  Sends(kSegment);
  side_.Write(5);
  Sends(5);
  side_.Write(6);
  SendsNothing();
  side_.OnAck(1 + kSegment + 5);
  Sends(6);
}

TEST_F(SendSideTest, CorkHoldsUntilTheSegmentIsFull) {
  side_.Write(5);
  SendsNothing(Hold::kCork);
  side_.Write(kSegment);
  Sends(kSegment, /*fin=*/false, Hold::kCork);
  SendsNothing(Hold::kCork);
}

TEST_F(SendSideTest, TheEndOfTheStreamIsNotHeld) {
  side_.Write(5);
  Sends(5);
  side_.Write(6);
  SendsNothing();
  side_.WriteFin();
  Sends(6, /*fin=*/true);
  EXPECT_TRUE(side_.everything_sent());
  EXPECT_EQ(side_.Unacknowledged(), 12U) << "the FIN is one";
  EXPECT_EQ(side_.UnacknowledgedBytes(), 11U);
}

TEST_F(SendSideTest, ARetransmissionIsNotHeld) {
  side_.Write(5);
  Sends(5);
  side_.GoBack();
  Sends(5);
}

TEST_F(SendSideTest, ARetransmissionHasNothingNew) {
  side_.Write(5);
  Sends(5);
  side_.Write(6);
  side_.GoBack();
  Sends(5);
  Sends(6, /*fin=*/false, Hold::kNone);
  side_.WriteFin();
  side_.GoBack();
  Sends(11);
  Sends(0, /*fin=*/true);
  side_.GoBack();
  Sends(11, /*fin=*/true);
}

TEST_F(SendSideTest, ARetransmissionThatIsCutHasNothingNew) {
  side_.Write(5);
  Sends(5);
  side_.Write(6);
  side_.WriteFin();
  side_.GoBack();
  EXPECT_EQ(side_.Probe().size, 5U);
  EXPECT_FALSE(side_.Probe().fin);
}

TEST_F(SendSideTest, WhatWasNotLostIsNotSentAgain) {
  side_.Write(2 * kSegment);
  Sends(kSegment);
  Sends(kSegment);
  side_.GoBack();
  side_.UndoGoBack();
  SendsNothing();
  EXPECT_EQ(side_.nxt(), 1U + 2 * kSegment);
}

TEST_F(SendSideTest, APieceThatWasSentAsAProbeDoesNotCountForNagle) {
  side_.Write(5);
  side_.OnSent(side_.Next(Hold::kNone), /*probe=*/true);
  side_.Write(6);
  EXPECT_EQ(side_.Next(Hold::kNagle).size, 6U);
}

// tcp_minshall_update() of Linux is called for new data only.
TEST_F(SendSideTest, ARetransmissionDoesNotCountForNagle) {
  side_.Write(5);
  Sends(5);
  side_.Write(kSegment);
  Sends(kSegment);
  side_.GoBack();
  Sends(kSegment);  // Cut otherwise than before.
  Sends(5);
  side_.OnAck(1 + 5);
  side_.Write(6);
  Sends(6);
}

TEST_F(SendSideTest, AnAcknowledgementEndsTheRetransmissionOfItsBytes) {
  side_.Write(2 * kSegment);
  Sends(kSegment);
  Sends(kSegment);
  side_.GoBack();
  Sends(kSegment);
  side_.OnAck(1 + 2 * kSegment);
  EXPECT_EQ(side_.nxt(), 1U + 2 * kSegment);
  EXPECT_FALSE(side_.in_flight());
  SendsNothing();
}

TEST_F(SendSideTest, OnlyWhatWasSentCanBeAcknowledged) {
  side_.Write(5);
  EXPECT_FALSE(side_.Acceptable(6));
  Sends(5);
  EXPECT_TRUE(side_.Acceptable(6));
  EXPECT_FALSE(side_.Acceptable(7));
  side_.GoBack();
  EXPECT_TRUE(side_.Acceptable(6));
}

// A segment that another one has overtaken has an older window.
TEST_F(SendSideTest, TheWindowIsNotTakenBack) {
  side_.OnWindow(1, 100);
  EXPECT_EQ(side_.window(), 30 * kSegment);
  EXPECT_EQ(side_.largest_window(), 30 * kSegment);
}

TEST_F(SendSideTest, OnlyAProbeIsCutToFitTheWindow) {
  SendSide side;
  side.Start();
  side.set_mss(kSegment, kFirstMss);
  side.OnAck(1);
  side.OnWindow(1, 100);
  side.Write(200);
  EXPECT_TRUE(side.Next(Hold::kNone).nothing());
  EXPECT_EQ(side.Probe().size, 100U);
  side.OnSent(side.Probe());
  EXPECT_TRUE(side.Probe().nothing());
  side.OnWindow(1, 200);
  side.WriteFin();
  EXPECT_EQ(side.Probe().size, 100U);
  EXPECT_TRUE(side.Probe().fin);
}

TEST_F(SendSideTest, AFullSegmentIsHalfOfTheLargestWindow) {
  SendSide side;
  side.Start();
  side.set_mss(kSegment, 1500);
  EXPECT_EQ(side.mss(), kSegment);
  EXPECT_EQ(side.segment(), 750U);
  side.OnWindow(1, 1600);
  EXPECT_EQ(side.segment(), 800U);
  side.OnWindow(1, 1500);
  EXPECT_EQ(side.segment(), 800U);
  side.OnWindow(1, 3000);
  EXPECT_EQ(side.segment(), kSegment);
}

}  // namespace
}  // namespace net::fake
