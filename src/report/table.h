#pragma once

#include <string>
#include <vector>

namespace tilewave::report {

/// Text columns as wide as their widest cell, two spaces apart, with a rule under the heads.
class Table {
 public:
  enum class Align { kLeft, kRight };

  void AddColumn(std::string head, Align align = Align::kLeft);

  /// REQUIRES: as many cells as columns.
  void AddRow(std::vector<std::string> cells);

  /// Lines ending in '\n', without trailing blanks.
  std::string ToString() const;

 private:
  struct Column {
    std::string head;
    Align align;
    size_t width;
  };
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace tilewave::report
