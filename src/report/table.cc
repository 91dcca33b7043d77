#include "report/table.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace tilewave::report {
namespace {

void AppendCell(const std::string& text, size_t width, Table::Align align, std::string* line) {
  if (!line->empty()) *line += "  ";
  const std::string pad(width - text.size(), ' ');
  *line += align == Table::Align::kRight ? pad + text : text + pad;
}

std::string TrimmedLine(std::string line) {
  line.erase(line.find_last_not_of(' ') + 1);
  return line + '\n';
}

}  // namespace

void Table::AddColumn(std::string head, Align align) {
  const size_t width = head.size();
  columns_.push_back({std::move(head), align, width});
}

void Table::AddRow(std::vector<std::string> cells) {
  TW_CHECK_EQ(cells.size(), columns_.size());
  for (size_t i = 0; i < cells.size(); ++i) {
    columns_[i].width = std::max(columns_[i].width, cells[i].size());
  }
  rows_.push_back(std::move(cells));
}

std::string Table::ToString() const {
  std::string heads;
  std::string rule;
  for (const Column& column : columns_) {
    AppendCell(column.head, column.width, column.align, &heads);
    AppendCell(std::string(column.width, '-'), column.width, column.align, &rule);
  }
  std::string text = TrimmedLine(heads) + TrimmedLine(rule);
  for (const std::vector<std::string>& row : rows_) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) {
      AppendCell(row[i], columns_[i].width, columns_[i].align, &line);
    }
    text += TrimmedLine(line);
  }
  return text;
}

}  // namespace tilewave::report
