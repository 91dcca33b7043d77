#include "kernels/cpu/kernel_table.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace tilewave::kernels::cpu {
namespace {

TEST(KernelTableTest, NamesAreUniqueAndSayTheShape) {
  std::set<std::string> names;
  for (const Int8Kernel& kernel : Int8Kernels()) {
    const std::string name = kernel.name;
    EXPECT_TRUE(names.insert(name).second) << name;
    const std::string prefix = "Int8Gemm_";
    const std::string shape = "_" + std::to_string(kernel.mr) + "x" + std::to_string(kernel.nr);
    ASSERT_GT(name.size(), prefix.size() + shape.size()) << name;
    EXPECT_EQ(name.substr(0, prefix.size()), prefix);
    EXPECT_EQ(name.substr(name.size() - shape.size()), shape);
    const std::string isa = name.substr(prefix.size(), name.size() - prefix.size() - shape.size());
    EXPECT_EQ(isa.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_"), std::string::npos)
        << name;
  }
}

TEST(KernelTableTest, FieldsFitTogether) {
  for (const Int8Kernel& kernel : Int8Kernels()) {
    SCOPED_TRACE(kernel.name);
    EXPECT_GE(kernel.mr, 1);
    EXPECT_GE(kernel.nr, 1);
    EXPECT_LE(kernel.mr * kernel.nr, kMaxTile);
    EXPECT_LE(kernel.nr, kMaxColumns);
    ASSERT_NE(kernel.run, nullptr);
    for (int r = 0; r < kernel.mr; ++r) EXPECT_NE(kernel.run[r], nullptr);
    EXPECT_NE(kernel.rows, nullptr);
    // Flipping turns s8 into u8 and back, for one operand that is u8.
    EXPECT_TRUE(!kernel.flips || kernel.form == Form::kU8xS8);
    // Panels of a row tile are told from those of a wide one by their number.
    EXPECT_TRUE(kernel.run_row == nullptr || kernel.row_panels > 2);
    EXPECT_LE(kernel.row_panels * kernel.nr, kMaxTile);
    EXPECT_TRUE(kernel.wide_groups == 0 || kernel.run_wide != nullptr);
    // The host keeps what rows begin with where it widens them, task by task.
    EXPECT_TRUE(kernel.self == nullptr || (WidensA(kernel.form) && !kernel.wants_lines));
    if (kernel.run_wide == nullptr) continue;
    EXPECT_GE(kernel.wide_mr, 1);
    EXPECT_LE(kernel.wide_mr, kernel.wide_most);
    EXPECT_LE(kernel.wide_most * 2 * kernel.nr, kMaxTile);
    EXPECT_LE(2 * kernel.nr, kMaxColumns);
    for (int r = 0; r < kernel.wide_most; ++r) EXPECT_NE(kernel.run_wide[r], nullptr);
  }
}

TEST(ChooseInt8KernelTest, DefaultRunsHereAndIsNotForTests) {
  for (const arch::Cpu& cpu : {arch::DetectCpu(), arch::Cpu{}}) {
    const Result<const Int8Kernel*> chosen = ChooseInt8Kernel("", cpu);
    ASSERT_TRUE(chosen.ok()) << chosen.status().ToString();
    EXPECT_FALSE((*chosen)->test_only);
    EXPECT_TRUE(Supported(**chosen, cpu));
    // The best one: nothing that would do stands before it.
    for (const Int8Kernel& kernel : Int8Kernels()) {
      if (&kernel == *chosen) break;
      EXPECT_TRUE(kernel.test_only || !Supported(kernel, cpu)) << kernel.name;
    }
  }
}

TEST(ChooseInt8KernelTest, EveryNameGivesThatKernelOrSaysWhyNot) {
  for (const arch::Cpu& cpu : {arch::DetectCpu(), arch::Cpu{}}) {
    for (const Int8Kernel& kernel : Int8Kernels()) {
      const Result<const Int8Kernel*> chosen = ChooseInt8Kernel(kernel.name, cpu);
      if (Supported(kernel, cpu)) {
        ASSERT_TRUE(chosen.ok()) << kernel.name;
        EXPECT_EQ(*chosen, &kernel);
      } else {
        EXPECT_EQ(chosen.status().code(), StatusCode::kUnavailable) << kernel.name;
        EXPECT_NE(chosen.status().message().find(kernel.name), std::string::npos);
      }
    }
  }
}

TEST(ChooseInt8KernelTest, UnknownNameIsNotFoundAndListsAll) {
  for (const char* name : {"Int8Gemm", "int8gemm_portable_4x8", "Int8Gemm_portable_4x8 "}) {
    const Result<const Int8Kernel*> chosen = ChooseInt8Kernel(name, arch::Cpu{});
    ASSERT_FALSE(chosen.ok());
    EXPECT_EQ(chosen.status().code(), StatusCode::kNotFound);
    const std::string& message = chosen.status().message();
    EXPECT_NE(message.find("'" + std::string(name) + "'"), std::string::npos) << message;
    for (const Int8Kernel& kernel : Int8Kernels()) {
      EXPECT_NE(message.find(kernel.name), std::string::npos) << message;
    }
  }
}

}  // namespace
}  // namespace tilewave::kernels::cpu
