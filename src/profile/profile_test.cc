#include "profile/profile.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "profile/builtin.h"

namespace tilewave::profile {
namespace {

using nlohmann::json;

std::string_view BuiltinText(std::string_view name) {
  for (const BuiltinProfile& builtin : BuiltinProfiles()) {
    if (builtin.name == name) return builtin.json;
  }
  ADD_FAILURE() << "no built-in profile " << name;
  return "";
}

json Phoenix() { return json::parse(BuiltinText("phoenix"), nullptr, false); }

void ExpectRefused(const Status& status, StatusCode code, std::string_view message) {
  EXPECT_EQ(status.code(), code) << status.ToString();
  EXPECT_EQ(status.message(), message);
}

struct Refusal {
  std::function<void(json&)> edit;
  std::string_view message;  // Behind "profile 'x': ".
};

void ExpectAllRefused(std::span<const Refusal> refusals) {
  for (const Refusal& refusal : refusals) {
    json root = Phoenix();
    refusal.edit(root);
    ExpectRefused(ParseProfile(root.dump(), "x").status(), StatusCode::kInvalidArgument,
                  "profile 'x': " + std::string(refusal.message));
  }
}

// Sets one entry of a constant.
std::function<void(json&)> Set(std::string key, std::string entry, json value) {
  return [=](json& root) { root["constants"][key][entry] = value; };
}

std::function<void(json&)> Without(std::string key, std::string entry) {
  return [=](json& root) { root["constants"][key].erase(entry); };
}

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "profile.XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory() { std::filesystem::remove_all(path_); }

  std::string Path(std::string_view name) const { return (path_ / name).string(); }
  std::string Write(std::string_view name, std::string_view text) const {
    std::ofstream(Path(name), std::ios::binary) << text;
    return Path(name);
  }

 private:
  std::filesystem::path path_;
};

TEST(ProfileTest, KernelModelsAgainstHandNumbers) {
  const Result<Profile> phoenix = FindProfile("phoenix");
  ASSERT_TRUE(phoenix.ok()) << phoenix.status().ToString();
  const KernelModel* vector = phoenix->FindModel(phoenix->vector_model, "s32");
  ASSERT_NE(vector, nullptr);
  // 262,144 / 227.6 + 0.297 * 4096 + 168.
  EXPECT_NEAR(vector->CyclesOf(64, 64, 64), 2536.3, 0.1);
  // 131,072 / 227.6 + 0.297 * 2048 + 168; K does not scale the output.
  EXPECT_NEAR(vector->CyclesOf(64, 64, 32), 1352.1, 0.1);
  EXPECT_NEAR(vector->CyclesOf(64, 32, 64), 1960.4, 0.1);
  EXPECT_EQ(phoenix->FindModel("ours", "s8"), nullptr);
  EXPECT_EQ(phoenix->FindModel("peano", "s32"), nullptr);

  for (const std::string_view output : {"s32", "s16", "s8"}) {
    const KernelModel* scalar = phoenix->FindModel("scalar16", output);
    ASSERT_NE(scalar, nullptr);
    EXPECT_NEAR(scalar->CyclesOf(16, 16, 16), 71 * 4096, 1);
  }
  // Extents whose product passes 63 bits.
  EXPECT_GT(vector->CyclesOf(int64_t{1} << 40, int64_t{1} << 40, int64_t{1} << 40), 1e33);
  EXPECT_EQ(phoenix->CyclesToUs(2000), 2);
}

TEST(ProfileTest, BuiltinsParseUnderTheirNames) {
  const std::vector<std::string_view> names = ProfileNames();
  EXPECT_EQ(names, (std::vector<std::string_view>{"hawk-point", "krackan", "phoenix",
                                                  "phoenix-pyxrt", "strix", "strix-halo"}));
  for (const std::string_view name : names) {
    const Result<Profile> profile = FindProfile(std::string(name));
    ASSERT_TRUE(profile.ok()) << profile.status().ToString();
    EXPECT_EQ(profile->name, name);
    const bool xdna2 = name == "krackan" || name.starts_with("strix");
    EXPECT_EQ(profile->arch, xdna2 ? arch::NpuArch::kNpu2 : arch::NpuArch::kNpu1);
    EXPECT_EQ(profile->scalar_model, "scalar16");
    EXPECT_EQ(profile->vector_model, "peano-mm");
    for (const char* model : {"chess", "peano-mm", "ours"}) {
      EXPECT_NE(profile->FindModel(model, "s32"), nullptr) << model;
    }
    for (const char* output : {"s16", "s8"}) {
      EXPECT_NE(profile->FindModel("chess", output), nullptr) << output;
    }
  }
}

TEST(ProfileTest, EveryConstantIsReadFromItsOwnKey) {
  std::set<std::string_view> keys;
  for (const ConstantInfo& info : Constants()) {
    EXPECT_TRUE(keys.insert(info.key).second) << info.key;
    EXPECT_LT(info.least, info.most) << info.key;
  }
  for (const BuiltinProfile& builtin : BuiltinProfiles()) {
    json root = json::parse(builtin.json, nullptr, false);
    EXPECT_EQ(root["constants"].size(), keys.size());
    // Values that differ between any two constants, so that no two can be mixed up.
    double share = 0.1;
    for (const ConstantInfo& info : Constants()) {
      root["constants"][std::string(info.key)]["value"] =
          info.least + (info.most - info.least) * (share += 0.01);
    }
    const Result<Profile> profile = ParseProfile(root.dump(), "x");
    ASSERT_TRUE(profile.ok()) << profile.status().ToString();
    for (const ConstantInfo& info : Constants()) {
      EXPECT_EQ(info.value(*profile), root["constants"][std::string(info.key)]["value"])
          << info.key;
    }
  }
}

TEST(ProfileTest, MembersHoldTheirConstants) {
  const Result<Profile> phoenix = FindProfile("phoenix");
  ASSERT_TRUE(phoenix.ok()) << phoenix.status().ToString();
  EXPECT_EQ(phoenix->date, "2026-11-24");
  EXPECT_EQ(phoenix->clock_ghz, 1.0);
  EXPECT_EQ(phoenix->launch.latency_us, 50);
  EXPECT_EQ(phoenix->launch.recovery_us, 2e6);
  EXPECT_EQ(phoenix->controller.mask_write_cycles, 210);
  EXPECT_EQ(phoenix->dma.mm2s_first_cycles, 1330);
  EXPECT_EQ(phoenix->dma.s2mm_task_cycles, 179);
  EXPECT_EQ(phoenix->core.zero_bytes_per_cycle, 32);
  EXPECT_EQ(phoenix->host.sync_in.byte_ns, 0.012);
  EXPECT_EQ(phoenix->host.read.item_us, 0.1);
  const Result<Profile> pyxrt = FindProfile("phoenix-pyxrt");
  ASSERT_TRUE(pyxrt.ok()) << pyxrt.status().ToString();
  EXPECT_EQ(pyxrt->launch.latency_us, 115);
  EXPECT_EQ(pyxrt->host.call_us, 1400);
  EXPECT_EQ(pyxrt->host.accumulate.item_us, 16.2);
}

TEST(ProfileTest, LimitsAreInclusive) {
  for (const ConstantInfo& info : Constants()) {
    const std::string key(info.key);
    for (const double value : {info.least, info.most}) {
      json root = Phoenix();
      Set(key, "value", value)(root);
      const Result<Profile> profile = ParseProfile(root.dump(), "x");
      ASSERT_TRUE(profile.ok()) << profile.status().ToString();
      EXPECT_EQ(info.value(*profile), value);
    }
    for (const double value : {info.least - 0.01, info.most * 1.01, -1.0, 1e308}) {
      json root = Phoenix();
      Set(key, "value", value)(root);
      const Status status = ParseProfile(root.dump(), "x").status();
      EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
      EXPECT_TRUE(status.message().starts_with("profile 'x': constant " + key + " ("))
          << status.message();
    }
  }
}

TEST(ProfileTest, EveryConstantIsRequired) {
  for (const ConstantInfo& info : Constants()) {
    json root = Phoenix();
    root["constants"].erase(std::string(info.key));
    const Status status = ParseProfile(root.dump(), "x").status();
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
    const std::string start = "profile 'x': constant " + std::string(info.key) + " (" +
                              std::string(info.unit) + ") is missing; plausible is ";
    EXPECT_TRUE(status.message().starts_with(start)) << status.message();
  }
}

TEST(ProfileTest, RefusesConstantsByName) {
  const std::string key = "launch.latency_us";
  const Refusal refusals[] = {
      {[](json& root) { root["constants"].erase("launch.latency_us"); },
       "constant launch.latency_us (us) is missing; plausible is 0 to 1,000,000 us"},
      {[](json& root) { root["constants"]["launch.latncy_us"] = 1; },
       "unknown constant 'launch.latncy_us'; expected the keys of profiles/phoenix.json"},
      {[](json& root) { root["constants"]["\x1b[31m"] = 1; },
       "unknown constant '\\x1b[31m'; expected the keys of profiles/phoenix.json"},
      {[](json& root) { root["constants"]["launch.latency_us"] = 50; },
       "constant launch.latency_us (us) is of type number; expected an object of value, unit, "
       "source"},
      {Set(key, "value", -5),
       "constant launch.latency_us (us) is -5; plausible is 0 to 1,000,000 us"},
      {Set(key, "value", -1234567.5),
       "constant launch.latency_us (us) is -1,234,567.5; plausible is 0 to 1,000,000 us"},
      {Set(key, "value", 1e308),
       "constant launch.latency_us (us) is 1e+308; plausible is 0 to 1,000,000 us"},
      {Set("clock_ghz", "value", 1000),
       "constant clock_ghz (GHz) is 1,000; plausible is 0.1 to 5 GHz"},
      {Set("launch.recovery_us", "value", 0),
       "constant launch.recovery_us (us) is 0; plausible is 1,000 to 100,000,000 us"},
      {Set("dma.mm2s_word_cycles", "value", 0),
       "constant dma.mm2s_word_cycles (cycles/word) is 0; plausible is 0.1 to 100 cycles/word"},
      {Set(key, "value", "50"),
       "constant launch.latency_us (us) has a value of type string; plausible is 0 to 1,000,000 "
       "us"},
      {Set(key, "value", nullptr),
       "constant launch.latency_us (us) has a value of type null; plausible is 0 to 1,000,000 us"},
      {Without(key, "value"),
       "constant launch.latency_us (us) has no value; plausible is 0 to 1,000,000 us"},
      {Set(key, "unit", "ms"), "constant launch.latency_us (us) has the unit 'ms'; expected 'us'"},
      {Set(key, "unit", 1),
       "constant launch.latency_us (us) has a unit of type number; expected 'us'"},
      {Without(key, "unit"), "constant launch.latency_us (us) has no unit; expected 'us'"},
      {Set(key, "source", ""),
       "the source of constant launch.latency_us (us) is ''; expected one line of text"},
      {Set(key, "source", "  "),
       "the source of constant launch.latency_us (us) is '  '; expected one line of text"},
      {Without(key, "source"),
       "the source of constant launch.latency_us (us) is missing; expected one line of text"},
      {Set(key, "note", "x"),
       "constant launch.latency_us (us) has the unknown key 'note'; expected value, unit, source"},
  };
  ExpectAllRefused(refusals);
}

TEST(ProfileTest, RefusesHeadsByName) {
  const Refusal refusals[] = {
      {[](json& root) { root = json::array({1}); },
       "the file is of type array; expected an object of name, description, date, arch, "
       "constants, kernels, kernel_models"},
      {[](json& root) { root["comment"] = ""; },
       "the file has the unknown key 'comment'; expected name, description, date, arch, "
       "constants, kernels, kernel_models"},
      {[](json& root) { root.erase("name"); },
       "name is missing; expected letters a-z, digits and '-'"},
      {[](json& root) { root["name"] = ""; }, "name is ''; expected letters a-z, digits and '-'"},
      {[](json& root) { root["name"] = "My_NPU"; },
       "name is 'My_NPU'; expected letters a-z, digits and '-'"},
      {[](json& root) { root["name"] = std::string(1000, 'X'); },
       "name is 'XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX...'; expected letters a-z, "
       "digits and '-'"},
      {[](json& root) { root["description"] = "a\nb"; },
       "description is 'a\\x0ab'; expected one line of text"},
      {[](json& root) { root["arch"] = "npu9"; }, "arch is 'npu9'; expected npu1 or npu2"},
      {[](json& root) { root["arch"] = 1; }, "arch is of type number; expected npu1 or npu2"},
      {[](json& root) { root.erase("constants"); },
       "constants is missing; expected an object such as that of profiles/phoenix.json"},
      {[](json& root) { root["constants"] = json::array(); },
       "constants is of type array; expected an object such as that of profiles/phoenix.json"},
  };
  ExpectAllRefused(refusals);
  for (const std::string_view date :
       {"", "2026", "2026-11-2", "22-11-2026", "2026/11/22", "2026-13-01", "2026-02-29",
        "2026-00-10", "2026-11-22 ", "202a-11-22", "2026-+1-22"}) {
    json root = Phoenix();
    root["date"] = date;
    ExpectRefused(
        ParseProfile(root.dump(), "x").status(), StatusCode::kInvalidArgument,
        "profile 'x': date is '" + std::string(date) + "'; expected a date as YYYY-MM-DD");
  }
}

TEST(ProfileTest, RefusesKernelsByName) {
  const Refusal refusals[] = {
      {[](json& root) { root.erase("kernels"); }, "kernels is missing; expected scalar and vector"},
      {[](json& root) { root["kernels"] = "scalar16"; },
       "kernels is of type string; expected an object of scalar, vector"},
      {[](json& root) { root["kernels"].erase("vector"); },
       "kernels.vector is missing; expected letters a-z, digits and '-'"},
      {[](json& root) { root["kernels"]["vector"] = "peano"; },
       "kernels.vector is 'peano'; expected a name in kernel_models with output s32"},
      {[](json& root) { root["kernel_models"].erase(0); },
       "kernels.scalar is 'scalar16'; expected a name in kernel_models with output s32"},
      {[](json& root) { root["kernels"]["tensor"] = "peano-mm"; },
       "kernels has the unknown key 'tensor'; expected scalar, vector"},
      {[](json& root) { root.erase("kernel_models"); },
       "kernel_models is missing; expected an array of objects"},
      {[](json& root) { root["kernel_models"] = json::object(); },
       "kernel_models is of type object; expected an array of objects"},
      {[](json& root) { root["kernel_models"][0] = 1; },
       "kernel_models[0] is of type number; expected an object of name, output, "
       "peak_macs_per_cycle, output_cycles, fixed_cycles, loop_cycles"},
      {[](json& root) { root["kernel_models"][1]["output"] = "s64"; },
       "kernel_models[1].output is 's64'; expected s32, s16 or s8"},
      {[](json& root) { root["kernel_models"][1]["name"] = "Scalar"; },
       "kernel_models[1].name is 'Scalar'; expected letters a-z, digits and '-'"},
      {[](json& root) { root["kernel_models"][1]["output"] = "s32"; },
       "kernel_models[1] is a second model 'scalar16' for s32; expected one"},
      {[](json& root) { root["kernel_models"][2].erase("fixed_cycles"); },
       "constant kernel_models[2].fixed_cycles (cycles) is missing; plausible is 0 to 1,000,000 "
       "cycles"},
      {[](json& root) { root["kernel_models"][2]["peak_macs_per_cycle"]["value"] = 0; },
       "constant kernel_models[2].peak_macs_per_cycle (MAC/cycle) is 0; plausible is 0.0001 to "
       "4,096 MAC/cycle"},
      {[](json& root) { root["kernel_models"][2]["output_cycles"]["unit"] = "cycles"; },
       "constant kernel_models[2].output_cycles (cycles/element) has the unit 'cycles'; expected "
       "'cycles/element'"},
  };
  ExpectAllRefused(refusals);
}

TEST(ProfileTest, RefusesDamagedText) {
  const auto expect = [](std::string_view text, std::string_view message) {
    ExpectRefused(ParseProfile(text, "x").status(), StatusCode::kDataLoss, message);
  };
  expect("", "profile 'x' is truncated: its JSON text ends after 0 bytes");
  expect("{\"name\"", "profile 'x' is truncated: its JSON text ends after 7 bytes");
  expect("{} {}", "profile 'x' is damaged: byte 4 does not continue its JSON text");
  expect("{\"name\": nan}", "profile 'x' is damaged: byte 11 does not continue its JSON text");
  expect("{\"\xff\"}", "profile 'x' is damaged: byte 3 does not continue its JSON text");
  EXPECT_EQ(ParseProfile("{\"name\": 1e999}", "x").status().code(), StatusCode::kDataLoss);

  const std::string_view phoenix = BuiltinText("phoenix");
  for (size_t size = 0; size < phoenix.find_last_of('}'); ++size) {
    // A copy of exactly this size, so that a sanitizer sees reads past the end.
    const std::vector<char> cut(phoenix.begin(), phoenix.begin() + static_cast<ptrdiff_t>(size));
    const Status status = ParseProfile({cut.data(), cut.size()}, "x").status();
    EXPECT_EQ(status.code(), StatusCode::kDataLoss) << size;
    EXPECT_TRUE(status.message().starts_with("profile 'x' is truncated")) << status.message();
  }
}

TEST(ProfileTest, RefusesRepeatedKeys) {
  const auto expect = [](std::string_view text, std::string_view key) {
    ExpectRefused(ParseProfile(text, "x").status(), StatusCode::kInvalidArgument,
                  "profile 'x': the key '" + std::string(key) +
                      "' is there twice; expected once in an object");
  };
  expect(R"({"name": "a", "date": {"name": 1}, "name": "b"})", "name");
  expect(R"({"constants": [{"unit": 1, "unit": 1}]})", "unit");
  expect(R"({"": 1, "\u0061": 2, "": 3})", "");
  expect(R"({"a\n": 1, "a\u000a": 2})", "a\\x0a");
}

TEST(ProfileTest, NestingCostsNoStack) {
  const size_t depth = 400000;
  const std::string open(depth, '[');
  EXPECT_EQ(ParseProfile(open, "x").status().code(), StatusCode::kDataLoss);
  const std::string text = "{\"constants\": " + open + std::string(depth, ']') + "}";
  ExpectRefused(ParseProfile(text, "x").status(), StatusCode::kInvalidArgument,
                "profile 'x': name is missing; expected letters a-z, digits and '-'");
}

TEST(ProfileTest, OneConstantCanBeSet) {
  Profile phoenix = *FindProfile("phoenix");
  ASSERT_TRUE(SetConstant(&phoenix, "launch.latency_us", 100).ok());
  EXPECT_EQ(phoenix.launch.latency_us, 100);
  EXPECT_EQ(phoenix.launch.submit_us, FindProfile("phoenix")->launch.submit_us);
  for (const double value : {-1.0, 1e9, std::numeric_limits<double>::quiet_NaN()}) {
    const Status refused = SetConstant(&phoenix, "launch.latency_us", value);
    EXPECT_EQ(refused.code(), StatusCode::kInvalidArgument) << value;
    EXPECT_NE(refused.message().find("expected 0 to 1000000"), std::string::npos)
        << refused.message();
  }
  const Status unknown = SetConstant(&phoenix, "launch.latency", 1);
  EXPECT_EQ(unknown.code(), StatusCode::kNotFound);
  EXPECT_NE(unknown.message().find("launch.latency_us, "), std::string::npos) << unknown.message();
  EXPECT_EQ(phoenix.launch.latency_us, 100);
}

TEST(FindProfileTest, UnknownNamesListTheKnown) {
  for (const std::string name : {"", "strixx", "Phoenix", "phoenix.toml"}) {
    ExpectRefused(
        FindProfile(name).status(), StatusCode::kNotFound,
        "no profile '" + name +
            "'; expected hawk-point, krackan, phoenix, phoenix-pyxrt, strix, strix-halo or the "
            "path of a .json file");
  }
}

TEST(FindProfileTest, ReadsFiles) {
  const TemporaryDirectory directory;
  json root = Phoenix();
  root["name"] = "mine";
  root["constants"]["launch.latency_us"]["value"] = 60;
  const std::string path = directory.Write("a.json", root.dump(2));
  const Result<Profile> profile = FindProfile(path);
  ASSERT_TRUE(profile.ok()) << profile.status().ToString();
  EXPECT_EQ(profile->name, "mine");
  EXPECT_EQ(profile->launch.latency_us, 60);

  root["constants"]["launch.latency_us"]["value"] = -60;
  ExpectRefused(FindProfile(directory.Write("b.json", root.dump())).status(),
                StatusCode::kInvalidArgument,
                "profile '" + directory.Path("b.json") +
                    "': constant launch.latency_us (us) is -60; plausible is 0 to 1,000,000 us");
}

TEST(FindProfileTest, RefusesFilesByPath) {
  const TemporaryDirectory directory;
  const std::string missing = directory.Path("no.json");
  ExpectRefused(FindProfile(missing).status(), StatusCode::kNotFound, missing + ": no such file");

  const std::string folder = directory.Path("folder.json");
  std::filesystem::create_directory(folder);
  ExpectRefused(FindProfile(folder).status(), StatusCode::kInvalidArgument,
                folder + " is not a regular file; expected a profile in JSON");
  // A pipe without a writer would never open.
  const std::string pipe = directory.Path("pipe.json");
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  ExpectRefused(FindProfile(pipe).status(), StatusCode::kInvalidArgument,
                pipe + " is not a regular file; expected a profile in JSON");

  ExpectRefused(FindProfile(directory.Write("empty.json", "")).status(), StatusCode::kDataLoss,
                "profile '" + directory.Path("empty.json") +
                    "' is truncated: its JSON text ends after 0 bytes");
  EXPECT_EQ(FindProfile(directory.Path("x/" + std::string(5000, 'x') + ".json")).status().code(),
            StatusCode::kInvalidArgument);
}

TEST(FindProfileTest, FilesAreBounded) {
  const TemporaryDirectory directory;
  std::string text(BuiltinText("phoenix"));
  text.resize(size_t{1} << 20, ' ');
  EXPECT_TRUE(FindProfile(directory.Write("most.json", text)).ok());
  text += ' ';
  ExpectRefused(FindProfile(directory.Write("more.json", text)).status(), StatusCode::kOutOfRange,
                directory.Path("more.json") + " is longer than 1 MiB; expected a profile in JSON");
}

}  // namespace
}  // namespace tilewave::profile
