#include "tests/support/validate_cases.h"

#include <gtest/gtest.h>

namespace tilewave::program {

Texts TextsOf(const std::vector<Violation>& violations) {
  Texts texts;
  for (const Violation& violation : violations) texts.push_back(violation.ToString());
  return texts;
}

void ExpectAll(ArrayProgram (*legal)(arch::NpuArch), const std::vector<ProgramCase>& cases) {
  for (const arch::NpuArch arch : {arch::NpuArch::kNpu1, arch::NpuArch::kNpu2}) {
    const arch::Npu& npu = arch::NpuOf(arch);
    EXPECT_EQ(TextsOf(Violations(legal(arch), npu)), Texts()) << npu.name;
    for (const ProgramCase& c : cases) {
      ArrayProgram program = legal(arch);
      c.mutate(&program);
      EXPECT_EQ(TextsOf(Violations(program, npu)), c.expected) << c.what << " on " << npu.name;
      EXPECT_EQ(Validate(program, npu).ok(), c.expected.empty()) << c.what;
    }
  }
}

void MoveChannel(size_t channel, int to, ArrayProgram* p) {
  const ChannelId old = p->channels[channel].id;
  p->channels[channel].id.channel = to;
  for (Flow& flow : p->flows) {
    if (flow.source == old) flow.source.channel = to;
    for (ChannelId& end : flow.destinations) {
      if (end == old) end.channel = to;
    }
  }
}

void SetId(size_t channel, int id, ArrayProgram* p) {
  Descriptor& d = p->channels[channel].descriptors[0];
  d.id = d.next = id;
}

}  // namespace tilewave::program
