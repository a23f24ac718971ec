#include "fakes/kernel/sysctls.h"

#include <ostream>

#include "gtest/gtest.h"

namespace net {

void PrintTo(FakeSysctls::CongestionControl control, std::ostream* os) {
  *os << (control == FakeSysctls::CongestionControl::kCubic ? "kCubic"
                                                            : "kReno");
}

namespace {

TEST(FakeSysctls, SetsANumber) {
  FakeSysctls sysctls;
  EXPECT_TRUE(sysctls.Set("net.core.somaxconn", "128"));
  EXPECT_EQ(sysctls.somaxconn, 128);
  EXPECT_TRUE(sysctls.Set("fs.file-max", "5000000000"));
  EXPECT_EQ(sysctls.file_max, 5000000000);
}

TEST(FakeSysctls, TakesTheLineAsProcHasIt) {
  FakeSysctls sysctls;
  EXPECT_TRUE(sysctls.Set("net.ipv4.ip_local_port_range", "40000\t40007\n"));
  EXPECT_EQ(sysctls.ip_local_port_range.first, 40000);
  EXPECT_EQ(sysctls.ip_local_port_range.last, 40007);
}

TEST(FakeSysctls, SetsTheThreeOfMemory) {
  FakeSysctls sysctls;
  EXPECT_TRUE(sysctls.Set("net.ipv4.tcp_rmem", "4096 8192 16384"));
  EXPECT_EQ(sysctls.tcp_rmem.min, 4096);
  EXPECT_EQ(sysctls.tcp_rmem.initial, 8192);
  EXPECT_EQ(sysctls.tcp_rmem.max, 16384);
  EXPECT_TRUE(sysctls.Set("net.ipv4.tcp_rmem", "100"));
  EXPECT_EQ(sysctls.tcp_rmem.min, 100);
  EXPECT_EQ(sysctls.tcp_rmem.initial, 8192);
}

TEST(FakeSysctls, SetsASwitch) {
  FakeSysctls sysctls;
  EXPECT_TRUE(sysctls.Set("net.ipv6.bindv6only", "1"));
  EXPECT_TRUE(sysctls.bindv6only);
  EXPECT_TRUE(sysctls.Set("net.ipv6.bindv6only", "0"));
  EXPECT_FALSE(sysctls.bindv6only);
}

TEST(FakeSysctls, SetsTheCongestionControl) {
  FakeSysctls sysctls;
  EXPECT_TRUE(sysctls.Set("net.ipv4.tcp_congestion_control", "reno"));
  EXPECT_EQ(sysctls.tcp_congestion_control,
            FakeSysctls::CongestionControl::kReno);
  EXPECT_FALSE(sysctls.Set("net.ipv4.tcp_congestion_control", "nosuch"));
}

TEST(FakeSysctls, RefusesWhatLinuxRefuses) {
  FakeSysctls sysctls;
  EXPECT_FALSE(sysctls.Set("net.ipv4.nosuch", "1"));
  EXPECT_FALSE(sysctls.Set("net.core.somaxconn", ""));
  EXPECT_FALSE(sysctls.Set("net.core.somaxconn", "many"));
  EXPECT_FALSE(sysctls.Set("net.core.somaxconn", "-1"));
  EXPECT_FALSE(sysctls.Set("net.ipv4.tcp_syn_retries", "128"));
  EXPECT_FALSE(sysctls.Set("net.ipv4.ip_local_port_range", "40007 40000"));
  EXPECT_FALSE(sysctls.Set("net.ipv4.ip_local_port_range", "40000"));
  EXPECT_FALSE(sysctls.Set("net.ipv4.ip_local_port_range", "1023 40000"));
  EXPECT_FALSE(sysctls.Set("net.ipv4.ip_unprivileged_port_start", "32769"));
  EXPECT_FALSE(sysctls.Set("net.ipv4.tcp_rmem", "0 1 2"));
  EXPECT_EQ(sysctls.somaxconn, 4096);
  EXPECT_EQ(sysctls.ip_local_port_range.first, 32768);
}

}  // namespace
}  // namespace net
