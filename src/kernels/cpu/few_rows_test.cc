#include "tests/support/few_rows_check.h"

#include <gtest/gtest.h>

#include "arch/cpu.h"
#include "kernels/cpu/kernel_table.h"

namespace tilewave::kernels::cpu {
namespace {

TEST(FewRowsTest, SumsAreExactWhateverTheSigns) {
  int functions = 0;
  for (const Int8Kernel& kernel : Int8Kernels()) {
    // Only those that odd shapes are for always pack B.
    ASSERT_EQ(kernel.few_rows == nullptr, kernel.test_only) << kernel.name;
    if (kernel.few_rows == nullptr || !Supported(kernel, arch::DetectCpu())) continue;
    ++functions;
    EXPECT_EQ(testing::FirstFewRowsMismatch(kernel.few_rows), "") << kernel.name;
  }
  EXPECT_GE(functions, 1);
}

}  // namespace
}  // namespace tilewave::kernels::cpu
