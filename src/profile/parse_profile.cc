#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "base/printable.h"
#include "profile/constant_table.h"
#include "profile/json_text.h"
#include "profile/profile.h"

namespace tilewave::profile {
namespace {

using nlohmann::json;

// What a text of the profile must be, and how a message says so.
struct TextForm {
  std::string_view expected;
  bool (*valid)(std::string_view);
};

bool IsName(std::string_view text) {
  const auto legal = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  };
  return !text.empty() && std::all_of(text.begin(), text.end(), legal);
}

bool IsLine(std::string_view text) {
  const auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  return text.find_first_not_of(' ') != std::string_view::npos &&
         std::none_of(text.begin(), text.end(), control);
}

// The number that all of `text` is, or -1.
int DigitsOf(std::string_view text) {
  int value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return -1;
    value = 10 * value + (c - '0');
  }
  return value;
}

bool IsDate(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return false;
  const int year = DigitsOf(text.substr(0, 4));
  const int month = DigitsOf(text.substr(5, 2));
  const int day = DigitsOf(text.substr(8, 2));
  if (year < 0 || month < 0 || day < 0) return false;
  return std::chrono::year_month_day(std::chrono::year(year),
                                     std::chrono::month(static_cast<unsigned>(month)),
                                     std::chrono::day(static_cast<unsigned>(day)))
      .ok();
}

std::optional<arch::NpuArch> ArchOf(std::string_view name) {
  for (const arch::NpuArch arch : {arch::NpuArch::kNpu1, arch::NpuArch::kNpu2}) {
    if (arch::NpuOf(arch).name == name) return arch;
  }
  return std::nullopt;
}

constexpr TextForm kNameForm = {"letters a-z, digits and '-'", IsName};
constexpr TextForm kLineForm = {"one line of text", IsLine};
constexpr TextForm kDateForm = {"a date as YYYY-MM-DD", IsDate};
constexpr TextForm kArchForm = {"npu1 or npu2",
                                [](std::string_view text) { return ArchOf(text).has_value(); }};
constexpr TextForm kOutputForm = {"s32, s16 or s8", [](std::string_view text) {
                                    return text == "s32" || text == "s16" || text == "s8";
                                  }};

// "1,000,000", "0.1", "1e+300".
std::string NumberText(double value) {
  std::string text = fmt::format("{}", value);
  const size_t first = text.starts_with('-') ? 1 : 0;
  const size_t end = std::min(text.find_first_not_of("0123456789", first), text.size());
  for (size_t i = end; i > first + 3;) text.insert(i -= 3, ",");
  return text;
}

class ProfileParser {
 public:
  explicit ProfileParser(std::string_view origin) : subject_(fmt::format("profile '{}'", origin)) {}

  Status Parse(std::string_view text, Profile* profile) const;

 private:
  // Paths name a place in the file: "date", "kernel_models[0].name".
  Status ParseText(const json& object, std::string_view key, const std::string& path,
                   const TextForm& form, std::string* text) const;
  Status ParseConstant(const json& object, std::string_view key, const std::string& path,
                       std::string_view unit, double least, double most, double* value) const;
  Status ParseHead(const json& root, Profile* profile) const;
  Status ParseConstants(const json& root, Profile* profile) const;
  Status ParseModels(const json& root, Profile* profile) const;
  Status ParseModel(const json& object, const std::string& path, KernelModel* model) const;
  Status ParseKernels(const json& root, Profile* profile) const;

  // That `object` is one and has none but these keys.
  Status CheckKeys(const json& object, const std::string& path,
                   std::initializer_list<std::string_view> keys) const;

  template <typename... Args>
  Status Invalid(fmt::format_string<Args...> format, Args&&... args) const {
    return {StatusCode::kInvalidArgument,
            fmt::format("{}: {}", subject_, fmt::format(format, std::forward<Args>(args)...))};
  }

  std::string subject_;
};

Status ProfileParser::CheckKeys(const json& object, const std::string& path,
                                std::initializer_list<std::string_view> keys) const {
  const std::string expected = fmt::format("{}", fmt::join(keys, ", "));
  if (!object.is_object()) {
    return Invalid("{} is of type {}; expected an object of {}", path, object.type_name(),
                   expected);
  }
  for (const auto& item : object.items()) {
    if (std::find(keys.begin(), keys.end(), item.key()) != keys.end()) continue;
    return Invalid("{} has the unknown key '{}'; expected {}", path, base::Printable(item.key()),
                   expected);
  }
  return {};
}

Status ProfileParser::ParseText(const json& object, std::string_view key, const std::string& path,
                                const TextForm& form, std::string* text) const {
  const auto it = object.find(key);
  if (it == object.end()) return Invalid("{} is missing; expected {}", path, form.expected);
  if (!it->is_string()) {
    return Invalid("{} is of type {}; expected {}", path, it->type_name(), form.expected);
  }
  *text = it->get_ref<const std::string&>();
  if (form.valid(*text)) return {};
  return Invalid("{} is '{}'; expected {}", path, base::Printable(*text), form.expected);
}

Status ProfileParser::ParseConstant(const json& object, std::string_view key,
                                    const std::string& path, std::string_view unit, double least,
                                    double most, double* value) const {
  const std::string name = fmt::format("constant {} ({})", path, unit);
  const std::string plausible =
      fmt::format("plausible is {} to {} {}", NumberText(least), NumberText(most), unit);
  const auto constant = object.find(key);
  if (constant == object.end()) return Invalid("{} is missing; {}", name, plausible);
  if (Status s = CheckKeys(*constant, name, {"value", "unit", "source"}); !s.ok()) return s;

  const auto number = constant->find("value");
  if (number == constant->end()) return Invalid("{} has no value; {}", name, plausible);
  if (!number->is_number()) {
    return Invalid("{} has a value of type {}; {}", name, number->type_name(), plausible);
  }
  const auto given_unit = constant->find("unit");
  if (given_unit == constant->end()) return Invalid("{} has no unit; expected '{}'", name, unit);
  if (!given_unit->is_string()) {
    return Invalid("{} has a unit of type {}; expected '{}'", name, given_unit->type_name(), unit);
  }
  const std::string& unit_text = given_unit->get_ref<const std::string&>();
  if (unit_text != unit) {
    return Invalid("{} has the unit '{}'; expected '{}'", name, base::Printable(unit_text), unit);
  }
  *value = number->get<double>();
  if (!(*value >= least && *value <= most)) {
    return Invalid("{} is {}; {}", name, NumberText(*value), plausible);
  }
  std::string source;
  return ParseText(*constant, "source", "the source of " + name, kLineForm, &source);
}

Status ProfileParser::ParseHead(const json& root, Profile* profile) const {
  std::string arch;
  Status s = ParseText(root, "name", "name", kNameForm, &profile->name);
  if (s.ok()) s = ParseText(root, "description", "description", kLineForm, &profile->description);
  if (s.ok()) s = ParseText(root, "date", "date", kDateForm, &profile->date);
  if (s.ok()) s = ParseText(root, "arch", "arch", kArchForm, &arch);
  if (s.ok()) profile->arch = *ArchOf(arch);
  return s;
}

Status ProfileParser::ParseConstants(const json& root, Profile* profile) const {
  const auto constants = root.find("constants");
  if (constants == root.end() || !constants->is_object()) {
    return Invalid(
        "constants is {}; expected an object such as that of profiles/phoenix.json",
        constants == root.end() ? "missing" : fmt::format("of type {}", constants->type_name()));
  }
  const std::span<const Constant> table = ConstantTable();
  for (const auto& item : constants->items()) {
    const auto is_key = [&item](const Constant& c) { return c.info.key == item.key(); };
    if (std::any_of(table.begin(), table.end(), is_key)) continue;
    return Invalid("unknown constant '{}'; expected the keys of profiles/phoenix.json",
                   base::Printable(item.key()));
  }
  for (const Constant& constant : table) {
    const ConstantInfo& info = constant.info;
    Status s = ParseConstant(*constants, info.key, std::string(info.key), info.unit, info.least,
                             info.most, constant.target(profile));
    if (!s.ok()) return s;
  }
  return {};
}

Status ProfileParser::ParseModel(const json& object, const std::string& path,
                                 KernelModel* model) const {
  Status s = CheckKeys(
      object, path,
      {"name", "output", "peak_macs_per_cycle", "output_cycles", "fixed_cycles", "loop_cycles"});
  if (s.ok()) s = ParseText(object, "name", path + ".name", kNameForm, &model->name);
  if (s.ok()) s = ParseText(object, "output", path + ".output", kOutputForm, &model->output);
  for (const ModelConstant& constant : ModelConstantTable()) {
    if (!s.ok()) return s;
    s = ParseConstant(object, constant.key, fmt::format("{}.{}", path, constant.key), constant.unit,
                      constant.least, constant.most, &(model->*constant.target));
  }
  return s;
}

Status ProfileParser::ParseModels(const json& root, Profile* profile) const {
  const auto models = root.find("kernel_models");
  if (models == root.end() || !models->is_array()) {
    return Invalid(
        "kernel_models is {}; expected an array of objects",
        models == root.end() ? "missing" : fmt::format("of type {}", models->type_name()));
  }
  for (size_t i = 0; i < models->size(); ++i) {
    const std::string path = fmt::format("kernel_models[{}]", i);
    KernelModel model;
    if (Status s = ParseModel((*models)[i], path, &model); !s.ok()) return s;
    if (profile->FindModel(model.name, model.output) != nullptr) {
      return Invalid("{} is a second model '{}' for {}; expected one", path,
                     base::Printable(model.name), model.output);
    }
    profile->kernel_models.push_back(std::move(model));
  }
  return {};
}

Status ProfileParser::ParseKernels(const json& root, Profile* profile) const {
  const auto kernels = root.find("kernels");
  if (kernels == root.end()) return Invalid("kernels is missing; expected scalar and vector");
  if (Status s = CheckKeys(*kernels, "kernels", {"scalar", "vector"}); !s.ok()) return s;
  const std::pair<std::string_view, std::string*> roles[] = {{"scalar", &profile->scalar_model},
                                                             {"vector", &profile->vector_model}};
  for (const auto& [role, model] : roles) {
    const std::string path = fmt::format("kernels.{}", role);
    if (Status s = ParseText(*kernels, role, path, kNameForm, model); !s.ok()) return s;
    if (profile->FindModel(*model, "s32") != nullptr) continue;
    return Invalid("{} is '{}'; expected a name in kernel_models with output s32", path,
                   base::Printable(*model));
  }
  return {};
}

Status ProfileParser::Parse(std::string_view text, Profile* profile) const {
  json root;
  if (Status s = ParseJsonText(text, subject_, &root); !s.ok()) return s;
  Status s =
      CheckKeys(root, "the file",
                {"name", "description", "date", "arch", "constants", "kernels", "kernel_models"});
  if (s.ok()) s = ParseHead(root, profile);
  if (s.ok()) s = ParseConstants(root, profile);
  if (s.ok()) s = ParseModels(root, profile);
  if (s.ok()) s = ParseKernels(root, profile);
  return s;
}

}  // namespace

Result<Profile> ParseProfile(std::string_view json, std::string_view origin) {
  Profile profile;
  if (Status s = ProfileParser(origin).Parse(json, &profile); !s.ok()) return s;
  return profile;
}

}  // namespace tilewave::profile
