// Fuzz target of the profile parser. It aborts when one of these does not hold:
//  * What was accepted has every constant within its limits, and the kernel models that it names
//    give positive, finite times.
//  * What was accepted is refused as truncated when it ends inside its outermost object.
//  * A refusal is one short printable line that names the profile.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "profile/profile.h"

namespace {

using tilewave::Result;
using tilewave::Status;
using tilewave::StatusCode;
using tilewave::profile::ConstantInfo;
using tilewave::profile::KernelModel;
using tilewave::profile::ParseProfile;
using tilewave::profile::Profile;

constexpr std::string_view kOrigin = "fuzz";
constexpr size_t kMaxMessage = 512;

void CheckRefusal(const Status& status) {
  const std::string& message = status.message();
  TW_CHECK(!status.ok());
  TW_CHECK(status.code() == StatusCode::kDataLoss || status.code() == StatusCode::kInvalidArgument);
  TW_CHECK(message.starts_with("profile 'fuzz'"));
  TW_CHECK_LE(message.size(), kMaxMessage);
  for (const char c : message) TW_CHECK(c >= 0x20 && c < 0x7f);
}

void CheckModel(const Profile& profile, const std::string& name) {
  const KernelModel* model = profile.FindModel(name, "s32");
  TW_CHECK(model != nullptr);
  const double us = profile.CyclesToUs(model->CyclesOf(64, 64, 64));
  TW_CHECK(std::isfinite(us) && us > 0);
}

void CheckProfile(const Profile& profile) {
  static const std::vector<ConstantInfo> kConstants = tilewave::profile::Constants();
  for (const ConstantInfo& info : kConstants) {
    TW_CHECK_GE(info.value(profile), info.least);
    TW_CHECK_LE(info.value(profile), info.most);
  }
  TW_CHECK(!profile.name.empty());
  TW_CHECK_EQ(profile.date.size(), 10u);
  CheckModel(profile, profile.scalar_model);
  CheckModel(profile, profile.vector_model);
}

}  // namespace

// The driver, ours or libFuzzer's, has no header that says so.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const Result<Profile> profile = ParseProfile(input, kOrigin);
  if (!profile.ok()) {
    CheckRefusal(profile.status());
    return 0;
  }
  CheckProfile(*profile);
  const Result<Profile> cut = ParseProfile(input.substr(0, input.find_last_of('}')), kOrigin);
  TW_CHECK(!cut.ok() && cut.status().code() == StatusCode::kDataLoss);
  return 0;
}
