#include "profile/json_text.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "base/printable.h"

namespace tilewave::profile {
namespace {

using nlohmann::json;

// Walks through the text without building anything. The parser that builds values keeps the last
// of two equal keys without a word, and does not tell where the text goes wrong unless it throws.
class Scanner final : public nlohmann::json_sax<json> {
 public:
  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool string(string_t&) override { return true; }
  bool binary(binary_t&) override { return true; }
  bool start_array(size_t) override { return true; }
  bool end_array() override { return true; }

  bool start_object(size_t) override {
    keys_.emplace_back();
    return true;
  }
  bool end_object() override {
    keys_.pop_back();
    return true;
  }
  bool key(string_t& key) override {
    const bool once = keys_.back().insert(key).second;
    if (!once) repeated_ = key;
    return once;
  }
  bool parse_error(size_t position, const std::string&, const json::exception&) override {
    position_ = position;
    return false;
  }

  // Characters read up to and with the wrong one; the end of the text counts as one.
  size_t position() const { return position_; }
  // Empty as well when the key is; position() is 0 then, as there was no wrong character.
  const std::string& repeated() const { return repeated_; }

 private:
  std::vector<std::set<std::string>> keys_;  // Of the objects that are open.
  std::string repeated_;
  size_t position_ = 0;
};

}  // namespace

Status ParseJsonText(std::string_view text, std::string_view what, json* value) {
  Scanner scanner;
  if (json::sax_parse(text, &scanner)) {
    *value = json::parse(text, nullptr, false);
    return {};
  }
  if (scanner.position() > text.size()) {
    return {StatusCode::kDataLoss,
            fmt::format("{} is truncated: its JSON text ends after {} bytes", what, text.size())};
  }
  if (scanner.position() > 0) {
    return {StatusCode::kDataLoss,
            fmt::format("{} is damaged: byte {} does not continue its JSON text", what,
                        scanner.position())};
  }
  return {StatusCode::kInvalidArgument,
          fmt::format("{}: the key '{}' is there twice; expected once in an object", what,
                      base::Printable(scanner.repeated()))};
}

}  // namespace tilewave::profile
