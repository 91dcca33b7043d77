#include "device/registry.h"

#include <gtest/gtest.h>

#include <string>

namespace tilewave::device {
namespace {

TEST(RegistryTest, OpensBySchemeAndPassesTheArgumentOn) {
  Registry registry;
  std::string seen = "none";
  const auto list = [] { return std::vector<DeviceInfo>{{"b:1", DeviceKind::kVnpu, false, "x"}}; };
  registry.Register(
      "a", "a",
      [](const std::string&) -> Result<std::unique_ptr<Device>> {
        return Status(StatusCode::kUnavailable, "a is away");
      },
      [] { return std::vector<DeviceInfo>(); });
  registry.Register(
      "b", "b[:N]",
      [&seen](const std::string& argument) -> Result<std::unique_ptr<Device>> {
        seen = argument;
        return Status(StatusCode::kUnavailable, "b is away");
      },
      list);
  EXPECT_EQ(registry.Open("a").status().message(), "a is away");
  EXPECT_EQ(registry.Open("b:x:y").status().message(), "b is away");
  EXPECT_EQ(seen, "x:y");
  EXPECT_EQ(registry.Open("b").status().message(), "b is away");
  EXPECT_EQ(seen, "");
  EXPECT_EQ(registry.Open("b:").status().message(),
            "nothing stands behind the colon of device 'b:'; expected b[:N]");
  const Status unknown = registry.Open("c:1").status();
  EXPECT_EQ(unknown.code(), StatusCode::kNotFound);
  EXPECT_EQ(unknown.message(), "no device 'c:1'; expected auto, a, b[:N]");
  ASSERT_EQ(registry.List().size(), 1U);
  EXPECT_EQ(registry.List()[0].name, "b:1");
}

}  // namespace
}  // namespace tilewave::device
