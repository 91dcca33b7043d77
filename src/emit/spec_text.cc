#include "emit/spec_text.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cstdint>
#include <optional>
#include <system_error>

#include "base/printable.h"

namespace tilewave::emit {
namespace {

using program::BLayout;
using program::DesignFamily;
using program::DesignSpec;
using program::TileKernel;
using program::TileOutput;

constexpr std::array kFamilies = {DesignFamily::kPackedTile, DesignFamily::kKStream,
                                  DesignFamily::kWholeArray};
constexpr std::array kArchs = {arch::NpuArch::kNpu1, arch::NpuArch::kNpu2};
constexpr std::array kKernels = {TileKernel::kScalar, TileKernel::kVector};
constexpr std::array kOutputs = {TileOutput::kS32, TileOutput::kS8, TileOutput::kS16,
                                 TileOutput::kS8Lossy, TileOutput::kS16Lossy};
constexpr std::array kLayouts = {BLayout::kRowMajor, BLayout::kColumnMajor, BLayout::kPacked};

std::string_view NameOf(arch::NpuArch arch) { return arch::NpuOf(arch).name; }
template <typename T>
std::string_view NameOf(T value) {
  return program::Name(value);
}

/// Takes "key=value" after "key=value" off a text; after the first fault nothing fits any more.
class Fields {
 public:
  explicit Fields(std::string_view text) : rest_(text) {}

  template <typename T, size_t kCount>
  void Take(std::string_view key, const std::array<T, kCount>& choices, T* value) {
    const std::string_view text = Value(key);
    for (const T choice : choices) {
      if (!failed_ && NameOf(choice) == text) {
        *value = choice;
        return;
      }
    }
    Fail(key);
  }

  template <typename T>
  void Take(std::string_view key, T* value) {
    if (!ParseInteger(Value(key), value)) Fail(key);
  }

  void TakeTile(DesignSpec* spec) {
    const std::string_view text = Value("tile");
    const size_t first = text.find('x');
    const size_t second = first == text.npos ? text.npos : text.find('x', first + 1);
    if (second == text.npos || !ParseInteger(text.substr(0, first), &spec->tile_m) ||
        !ParseInteger(text.substr(first + 1, second - first - 1), &spec->tile_k) ||
        !ParseInteger(text.substr(second + 1), &spec->tile_n)) {
      Fail("tile");
    }
  }

  Status Finish() {
    if (!failed_ && !rest_.empty()) Fail("nothing");
    return status_;
  }

 private:
  /// The text after "key=" up to the next space.
  std::string_view Value(std::string_view key) {
    if (failed_) return {};
    if (!rest_.starts_with(key) || rest_.substr(key.size(), 1) != "=") {
      Fail(key);
      return {};
    }
    rest_.remove_prefix(key.size() + 1);
    const size_t end = rest_.find(' ');
    const std::string_view value = rest_.substr(0, end);
    rest_ = end == rest_.npos ? std::string_view() : rest_.substr(end + 1);
    return value;
  }

  template <typename T>
  static bool ParseInteger(std::string_view text, T* value) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *value);
    return error == std::errc() && end == text.data() + text.size() && *value >= 0;
  }

  void Fail(std::string_view key) {
    if (failed_) return;
    failed_ = true;
    status_ = {StatusCode::kInvalidArgument,
               fmt::format("a design's '{}' was expected at '{}'", key, base::Printable(rest_))};
  }

  std::string_view rest_;
  bool failed_ = false;
  Status status_;
};

}  // namespace

std::string SpecText(const DesignSpec& spec) {
  return fmt::format(
      "family={} arch={} tile={}x{}x{} kernel={} output={} stack_bytes={} columns={} k_mt={} "
      "b_layout={} c_buffers={}",
      NameOf(spec.family), NameOf(spec.arch), spec.tile_m, spec.tile_k, spec.tile_n,
      NameOf(spec.kernel), NameOf(spec.output), spec.stack_bytes, spec.columns, spec.k_mt,
      NameOf(spec.b_layout), spec.c_buffers);
}

Result<DesignSpec> ParseSpecText(std::string_view text) {
  DesignSpec spec;
  Fields fields(text);
  fields.Take("family", kFamilies, &spec.family);
  fields.Take("arch", kArchs, &spec.arch);
  fields.TakeTile(&spec);
  fields.Take("kernel", kKernels, &spec.kernel);
  fields.Take("output", kOutputs, &spec.output);
  fields.Take("stack_bytes", &spec.stack_bytes);
  fields.Take("columns", &spec.columns);
  fields.Take("k_mt", &spec.k_mt);
  fields.Take("b_layout", kLayouts, &spec.b_layout);
  fields.Take("c_buffers", &spec.c_buffers);
  if (Status s = fields.Finish(); !s.ok()) return s;
  return spec;
}

}  // namespace tilewave::emit
