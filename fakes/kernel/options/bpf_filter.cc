#include "fakes/kernel/options/bpf_filter.h"

#include <linux/filter.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <vector>

#include "absl/types/span.h"

namespace net::fake {
namespace {

// Names that the headers may lack.
constexpr uint16_t kMod = 0x90;
constexpr uint16_t kXor = 0xa0;

// NOLINTBEGIN(misc-redundant-expression): some of the constants are 0
constexpr uint16_t kOpcodes[] = {
    // Arithmetic.
    BPF_ALU | BPF_ADD | BPF_K, BPF_ALU | BPF_ADD | BPF_X,
    BPF_ALU | BPF_SUB | BPF_K, BPF_ALU | BPF_SUB | BPF_X,
    BPF_ALU | BPF_MUL | BPF_K, BPF_ALU | BPF_MUL | BPF_X,
    BPF_ALU | BPF_DIV | BPF_K, BPF_ALU | BPF_DIV | BPF_X,
    BPF_ALU | kMod | BPF_K, BPF_ALU | kMod | BPF_X, BPF_ALU | BPF_AND | BPF_K,
    BPF_ALU | BPF_AND | BPF_X, BPF_ALU | BPF_OR | BPF_K,
    BPF_ALU | BPF_OR | BPF_X, BPF_ALU | kXor | BPF_K, BPF_ALU | kXor | BPF_X,
    BPF_ALU | BPF_LSH | BPF_K, BPF_ALU | BPF_LSH | BPF_X,
    BPF_ALU | BPF_RSH | BPF_K, BPF_ALU | BPF_RSH | BPF_X, BPF_ALU | BPF_NEG,
    // Loads and stores.
    BPF_LD | BPF_W | BPF_ABS, BPF_LD | BPF_H | BPF_ABS,
    BPF_LD | BPF_B | BPF_ABS, BPF_LD | BPF_W | BPF_LEN,
    BPF_LD | BPF_W | BPF_IND, BPF_LD | BPF_H | BPF_IND,
    BPF_LD | BPF_B | BPF_IND, BPF_LD | BPF_IMM, BPF_LD | BPF_MEM,
    BPF_LDX | BPF_W | BPF_LEN, BPF_LDX | BPF_B | BPF_MSH, BPF_LDX | BPF_IMM,
    BPF_LDX | BPF_MEM, BPF_ST, BPF_STX,
    // Others.
    BPF_MISC | BPF_TAX, BPF_MISC | BPF_TXA, BPF_RET | BPF_K, BPF_RET | BPF_A,
    BPF_JMP | BPF_JA, BPF_JMP | BPF_JEQ | BPF_K, BPF_JMP | BPF_JEQ | BPF_X,
    BPF_JMP | BPF_JGE | BPF_K, BPF_JMP | BPF_JGE | BPF_X,
    BPF_JMP | BPF_JGT | BPF_K, BPF_JMP | BPF_JGT | BPF_X,
    BPF_JMP | BPF_JSET | BPF_K, BPF_JMP | BPF_JSET | BPF_X};
// NOLINTEND(misc-redundant-expression)

bool IsConditionalJump(uint16_t code) {
  return BPF_CLASS(code) == BPF_JMP && code != (BPF_JMP | BPF_JA);
}
bool ReadsMemory(uint16_t code) {
  return code == (BPF_LD | BPF_MEM) || code == (BPF_LDX | BPF_MEM);
}
bool WritesMemory(uint16_t code) { return code == BPF_ST || code == BPF_STX; }

// Offsets from SKF_AD_OFF on are not in the packet, but name values that the
// kernel knows of it.
bool IsValidOffset(const sock_filter& instruction) {
  const bool absolute = BPF_CLASS(instruction.code) == BPF_LD &&
                        BPF_MODE(instruction.code) == BPF_ABS;
  const auto first = static_cast<uint32_t>(SKF_AD_OFF);
  if (!absolute || instruction.k < first) return true;
  return instruction.k - first < SKF_AD_MAX && (instruction.k - first) % 4 == 0;
}

// Checks one of the program's instructions, with `rest` others behind it.
bool IsValid(const sock_filter& instruction, size_t rest) {
  const uint16_t code = instruction.code;
  if (std::find(std::begin(kOpcodes), std::end(kOpcodes), code) ==
      std::end(kOpcodes)) {
    return false;
  }
  if (code == (BPF_ALU | BPF_DIV | BPF_K) || code == (BPF_ALU | kMod | BPF_K)) {
    return instruction.k != 0;
  }
  if (code == (BPF_ALU | BPF_LSH | BPF_K) ||
      code == (BPF_ALU | BPF_RSH | BPF_K)) {
    return instruction.k < 32;
  }
  if (ReadsMemory(code) || WritesMemory(code)) {
    return instruction.k < BPF_MEMWORDS;
  }
  if (code == (BPF_JMP | BPF_JA)) return instruction.k < rest;
  if (IsConditionalJump(code)) {
    return instruction.jt < rest && instruction.jf < rest;
  }
  return IsValidOffset(instruction);
}

// Checks that every word of memory is written before it is read, on every path.
bool ReadsOnlyWhatWasWritten(absl::Span<const sock_filter> program) {
  constexpr uint16_t kAll = 0xffff;
  // The words that are written on all paths to an instruction, one bit each.
  std::vector<uint16_t> written(program.size(), kAll);
  uint16_t now = 0;
  for (size_t at = 0; at < program.size(); ++at) {
    const sock_filter& instruction = program[at];
    const auto bit = static_cast<uint16_t>(1U << (instruction.k & 15));
    now &= written[at];
    if (WritesMemory(instruction.code)) {
      now |= bit;
    } else if (ReadsMemory(instruction.code)) {
      if ((now & bit) == 0) return false;
    } else if (instruction.code == (BPF_JMP | BPF_JA)) {
      written[at + 1 + instruction.k] &= now;
      now = kAll;
    } else if (IsConditionalJump(instruction.code)) {
      written[at + 1 + instruction.jt] &= now;
      written[at + 1 + instruction.jf] &= now;
      now = kAll;
    }
  }
  return true;
}

}  // namespace

bool IsValidFilter(absl::Span<const sock_filter> program) {
  if (program.empty() || program.size() > BPF_MAXINSNS) return false;
  for (size_t i = 0; i < program.size(); ++i) {
    if (!IsValid(program[i], program.size() - i - 1)) return false;
  }
  const uint16_t last = program.back().code;
  const bool returns = last == (BPF_RET | BPF_K) || last == (BPF_RET | BPF_A);
  return returns && ReadsOnlyWhatWasWritten(program);
}

}  // namespace net::fake
