// Programs with numbers that no design has: Validate answers with a violation, whatever they are.

#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <span>
#include <string>

#include "program/validate.h"
#include "tests/support/program_samples.h"

namespace tilewave::program {
namespace {

constexpr int64_t kLeast = std::numeric_limits<int64_t>::min();
constexpr int64_t kHuge = std::numeric_limits<int64_t>::max() - 3;

struct HostileCase {
  const char* part;
  std::function<void(ArrayProgram*)> change;
};

void ExpectFound(std::span<const HostileCase> cases) {
  for (const HostileCase& c : cases) {
    ArrayProgram program = KStream(arch::NpuArch::kNpu1);
    ASSERT_TRUE(Validate(program, Npu1()).ok());
    c.change(&program);
    std::string all;
    for (const Violation& violation : Violations(program, Npu1())) {
      all += violation.ToString() + "\n";
    }
    EXPECT_NE(all.find(c.part), std::string::npos) << c.part << " is not in:\n" << all;
    EXPECT_FALSE(Validate(program, Npu1()).ok());
  }
}

TEST(ValidateHostileTest, EveryNumberIsJudged) {
  const HostileCase cases[] = {
      {"end in data memory is", [](ArrayProgram* p) { p->buffers[4].address = kHuge; }},
      {"data memory bytes is 9223372036854775807",
       [](ArrayProgram* p) { p->buffers[4].bytes = kHuge; }},
      {"end in data memory is", [](ArrayProgram* p) { p->parameters[0].address = kHuge; }},
      {"d1 size is",
       [](ArrayProgram* p) {
         p->channels[0].descriptors[0].dims = {{16384, 1}, {int64_t{1} << 50, 20000}, {5, 7}};
       }},
      {"last word, in buffer",
       [](ArrayProgram* p) { p->channels[0].descriptors[0].offset_words = kHuge; }},
      {"rows of a block is 0", [](ArrayProgram* p) { p->cores[0].kernels[1].block.rows = 0; }},
      {"depth is -8", [](ArrayProgram* p) { p->cores[0].kernels[1].k = -8; }},
      {"columns is 4294967296, at most 65536",
       [](ArrayProgram* p) { p->cores[0].kernels[1].n = int64_t{1} << 32; }},
      {"rows is 0", [](ArrayProgram* p) { p->cores[0].kernels[1].m = 0; }},
      {"descriptors of its channel is 0",
       [](ArrayProgram* p) { p->channels[0].descriptors.clear(); }},
      {"next descriptor is -7", [](ArrayProgram* p) { p->channels[0].descriptors[0].next = -7; }},
      {"index of a lock is -5",
       [](ArrayProgram* p) { p->channels[0].descriptors[0].acquire.lock = -5; }},
      {"descriptors that no stream writes",
       [](ArrayProgram* p) {
         p->channels[0].id.tile = {0, 0};
       }},
      {"offset of an argument, in buffer c_0 is 1048576",
       [](ArrayProgram* p) { p->cores[0].ops[3].arguments[0].offset_bytes = 1 << 20; }},
      {"arguments is 0", [](ArrayProgram* p) { p->cores[0].ops[3].arguments.clear(); }},
      {"parameters on another tile",
       [](ArrayProgram* p) {
         p->parameters[0].tile = {1, 2};
       }},
      {"loops around the whole program is 0",
       [](ArrayProgram* p) {
         p->cores[0].ops.erase(p->cores[0].ops.begin());
         p->cores[0].ops.pop_back();
       }},
      {"endless loops inside another",
       [](ArrayProgram* p) { p->cores[0].ops[4].kind = CoreOp::Kind::kForever; }},
      {"programs for another array than npu1",
       [](ArrayProgram* p) { p->spec.arch = arch::NpuArch::kNpu2; }},
  };
  ExpectFound(cases);
}

// At the ends of what a number holds.
TEST(ValidateHostileTest, NumbersThatOverflowAreJudged) {
  const HostileCase cases[] = {
      {"iterations is 9223372036854775804, at most 64",
       [](ArrayProgram* p) {
         p->channels[0].descriptors[0].iteration = {kHuge, kHuge};
       }},
      {"iteration step in words is -9223372036854775808, at least 1",
       [](ArrayProgram* p) {
         p->channels[0].descriptors[0].iteration = {kLeast, kLeast};
       }},
      {"d0 size is -9223372036854775808, at least 1",
       [](ArrayProgram* p) {
         p->channels[0].descriptors[0].dims = {{kLeast, kLeast}, {kHuge, kLeast}};
       }},
      {"length in words is -9223372036854775808, at least 1",
       [](ArrayProgram* p) { p->channels[0].descriptors[0].length_words = kLeast; }},
      {"address is -9223372036854775808, at least 0",
       [](ArrayProgram* p) {
         p->buffers[4].address = kLeast;
         p->buffers[4].bytes = kLeast;
       }},
      {"padding before d0 is 2147483647, at most 0",
       [](ArrayProgram* p) {
         p->channels[0].descriptors[0].dims = {{1024, 1}};
         p->channels[0].descriptors[0].padding[0] = {2147483647, -2147483647};
       }},
      {"index of a parameter is -2147483647, at least 0",
       [](ArrayProgram* p) { p->cores[0].ops[3].scalars = {-2147483647}; }},
      {"columns is 2147483647, at most 4", [](ArrayProgram* p) { p->spec.columns = 2147483647; }},
      {"column is 2147483647, at most 3",
       [](ArrayProgram* p) { p->flows[0].source.tile.column = 2147483647; }},
  };
  ExpectFound(cases);
}

TEST(ValidateHostileTest, OffsetsBeyondTheAddressAreJudged) {
  const ArrayProgram program = KStream(arch::NpuArch::kNpu1);
  Sequence sequence = *LaunchSequence(program, 1);
  const int64_t whole[] = {kHuge, kHuge, kHuge};
  ASSERT_TRUE(Validate(program, sequence, whole, Npu1()).ok());
  for (const int64_t offset : {int64_t{1} << 48, kHuge}) {
    std::get<WriteDescriptor>(sequence[0]).offset_bytes = offset;
    const Status status = Validate(program, sequence, whole, Npu1());
    EXPECT_NE(status.message().find("offset is"), std::string::npos) << status.message();
  }
}

}  // namespace
}  // namespace tilewave::program
