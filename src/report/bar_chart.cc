#include "report/bar_chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

#include "report/units.h"

namespace tilewave::report {
namespace {

// Everything is in px. A text's y is its base line.
constexpr double kWidth = 1100;
constexpr double kMargin = 28;
constexpr double kRight = kWidth - kMargin;
constexpr double kMaxLabelWidth = 320;
constexpr double kMinPlotWidth = 300;
constexpr double kTickRoom = 30;  // For the half of the last tick label that is right of the plot.
constexpr double kGap = 8;
constexpr double kLineHeight = 19;
constexpr double kLegendPitch = 22;
constexpr double kRowPitch = 22;
constexpr double kBarHeight = 14;
constexpr double kRowPadding = 4;  // Above the first and below the last row.

struct Font {
  int size;
  bool bold;
};
constexpr Font kTitleFont{22, true};
constexpr Font kSubtitleFont{14, false};
constexpr Font kPanelFont{16, true};
constexpr Font kTextFont{13, false};
constexpr Font kValueFont{13, true};
constexpr Font kTickFont{12, false};

constexpr const char* kInk = "#1b1f24";
constexpr const char* kSoftInk = "#59616b";
constexpr const char* kAxisColour = "#8b939c";
constexpr const char* kGridColour = "#d8dde3";
constexpr const char* kNoGroupColour = "#9aa1a9";

// Okabe and Ito's set, which stays apart under the common kinds of colour blindness; its black is
// left for the ticks, its yellow, weak on white, comes last.
constexpr std::array<const char*, 7> kColours = {"#0072b2", "#e69f00", "#009e73", "#cc79a7",
                                                 "#56b4e9", "#d55e00", "#f0e442"};

// --- Text ---

// Code points, each of which XML can hold.
using Text = std::u32string;

constexpr char32_t kReplacement = 0xFFFD;
constexpr char32_t kEllipsis = 0x2026;

char32_t Printable(char32_t c) {
  if (c == '\t' || c == '\n' || c == '\r') return ' ';
  const bool control = c < 0x20 || (c >= 0x7F && c < 0xA0);
  const bool surrogate = c >= 0xD800 && c < 0xE000;
  return control || surrogate || c == 0xFFFE || c == 0xFFFF || c > 0x10FFFF ? kReplacement : c;
}

// Bytes of the character that starts with `lead`; 0 where none can start.
size_t Utf8Length(uint8_t lead) {
  if (lead < 0x80) return 1;
  if (lead < 0xC2 || lead > 0xF4) return 0;
  return lead < 0xE0 ? 2 : (lead < 0xF0 ? 3 : 4);
}

// Bytes that are not UTF-8 become one replacement character each.
Text Decode(std::string_view bytes) {
  static constexpr std::array<char32_t, 5> kSmallest = {0, 0, 0x80, 0x800, 0x10000};
  Text text;
  for (size_t i = 0; i < bytes.size();) {
    const auto lead = static_cast<uint8_t>(bytes[i]);
    const size_t length = Utf8Length(lead);
    char32_t c = length <= 1 ? lead : (lead & (0x7Fu >> length));
    bool good = length > 0 && length <= bytes.size() - i;
    for (size_t j = 1; good && j < length; ++j) {
      const auto next = static_cast<uint8_t>(bytes[i + j]);
      good = (next & 0xC0) == 0x80;
      c = (c << 6) | (next & 0x3Fu);
    }
    good = good && c >= kSmallest[length];
    text += good ? Printable(c) : kReplacement;
    i += good ? length : 1;
  }
  return text;
}

// Plain ASCII, so that the file means the same in every encoding.
std::string Escape(const Text& text) {
  std::string escaped;
  for (const char32_t c : text) {
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      default:
        if (c < 0x7F) {
          escaped += static_cast<char>(c);
        } else {
          escaped += fmt::format("&#x{:X};", static_cast<uint32_t>(c));
        }
    }
  }
  return escaped;
}

// Advances of ' ' to '~' in hundredths of the font size. They are of DejaVu Sans, about the widest
// of the sans-serif faces that a viewer may take: what fits by them fits in the others.
using Advances = std::array<uint8_t, 95>;
constexpr Advances kRegular = {
    32, 41, 46, 84, 64, 96, 78, 28, 40,  40, 50, 84, 32, 37, 32, 34, 64, 64, 64, 64, 64, 64, 64, 64,
    64, 64, 34, 34, 84, 84, 84, 54, 100, 69, 69, 70, 78, 64, 58, 78, 76, 30, 30, 66, 56, 87, 75, 79,
    61, 79, 70, 64, 62, 74, 69, 99, 69,  62, 69, 40, 34, 40, 84, 50, 50, 62, 64, 55, 64, 62, 36, 64,
    64, 28, 28, 58, 28, 98, 64, 62, 64,  64, 42, 53, 40, 64, 60, 82, 60, 60, 53, 64, 34, 64, 84};
constexpr Advances kBold = {35,  46, 53, 84, 70, 101, 88, 31,  46, 46, 53, 84, 38, 42,  38, 37,
                            70,  70, 70, 70, 70, 70,  70, 70,  70, 70, 40, 40, 84, 84,  84, 59,
                            100, 78, 77, 74, 84, 69,  69, 83,  84, 38, 38, 78, 64, 100, 84, 86,
                            74,  86, 78, 73, 69, 82,  78, 111, 78, 73, 73, 46, 37, 46,  84, 50,
                            50,  68, 72, 60, 72, 68,  44, 72,  72, 35, 35, 67, 35, 105, 72, 69,
                            72,  72, 50, 60, 48, 72,  66, 93,  65, 66, 59, 72, 37, 72,  84};
constexpr int kOtherAdvance = 130;  // Nearly all others are narrower, those of CJK too.

double WidthOf(const Text& text, Font font) {
  const Advances& advances = font.bold ? kBold : kRegular;
  int64_t hundredths = 0;
  for (const char32_t c : text) {
    hundredths += c >= ' ' && c <= '~' ? advances[c - ' '] : kOtherAdvance;
  }
  return static_cast<double>(hundredths) * font.size / 100;
}

// All of the text where it fits; else its longest start that fits with an ellipsis.
Text Fitted(const Text& text, double width, Font font) {
  if (WidthOf(text, font) <= width) return text;
  const double room = width - WidthOf(Text(1, kEllipsis), font);
  if (room < 0) return {};
  Text start;
  double used = 0;
  for (const char32_t c : text) {
    used += WidthOf(Text(1, c), font);
    if (used > room) break;
    start += c;
  }
  start.erase(start.find_last_not_of(U' ') + 1);
  return start + kEllipsis;
}

std::vector<Text> Wrapped(const Text& text, double width, Font font) {
  std::vector<Text> lines;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find(U' ', begin), text.size());
    const Text word = text.substr(begin, end - begin);
    begin = end + 1;
    if (word.empty()) continue;
    const Text joined = lines.empty() ? word : lines.back() + U' ' + word;
    if (lines.empty() || WidthOf(joined, font) > width) {
      lines.push_back(Fitted(word, width, font));
    } else {
      lines.back() = joined;
    }
  }
  return lines;
}

// --- Times ---

bool IsTime(double us) { return std::isfinite(us) && us > 0; }

// FormatUs has no exponents: these are for what it would show as 0.00 us or with a row of digits.
std::string TimeText(double us) {
  if (us < 0.01) return fmt::format("{:.2e} us", us);
  if (us >= 1e12) return fmt::format("{:.2e} s", us * 1e-6);
  return FormatUs(us);
}

// 10^exponent us: "0.1 us", "1 ms", "10 s".
std::string DecadeText(int exponent) {
  if (exponent < -2) return fmt::format("1e{:+03} us", exponent);
  if (exponent < 0) return fmt::format("{:.{}f} us", std::pow(10.0, exponent), -exponent);
  if (exponent >= 12) return fmt::format("1e{:+03} s", exponent - 6);
  static constexpr std::array<const char*, 3> kUnits = {"us", "ms", "s"};
  const int unit = std::min(exponent / 3, 2);
  const auto value = static_cast<int64_t>(std::llround(std::pow(10.0, exponent - 3 * unit)));
  return FormatCount(value) + ' ' + kUnits[static_cast<size_t>(unit)];
}

// --- Layout ---

struct Row {
  Text label;
  Text value;
  Text reference;  // Empty: none.
  Text note;
  std::optional<double> log_us;  // log10; nothing where there is no time.
  std::optional<double> log_reference;
  const char* colour = kNoGroupColour;
};

struct PanelRows {
  Text title;
  std::vector<Row> rows;
};

std::optional<double> Log(std::optional<double> us) {
  if (!us || !IsTime(*us)) return std::nullopt;
  return std::log10(*us);
}

Row RowOf(const BarChart& chart, const BarChart::Bar& bar) {
  Row row;
  row.label = Decode(bar.label);
  row.note = Decode(bar.note);
  row.log_us = Log(bar.us);
  row.log_reference = Log(bar.reference_us);
  row.value = Decode(row.log_us ? TimeText(bar.us) : "no time");
  if (row.log_reference) {
    row.reference = Fitted(Decode(chart.reference_name), kMaxLabelWidth / 2, kTextFont) +
                    Decode(" " + TimeText(*bar.reference_us));
  }
  if (bar.group >= 0 && static_cast<size_t>(bar.group) < chart.groups.size()) {
    row.colour = kColours[static_cast<size_t>(bar.group) % kColours.size()];
  }
  return row;
}

std::vector<PanelRows> PanelsOf(const BarChart& chart) {
  std::vector<PanelRows> panels;
  for (const BarChart::Panel& panel : chart.panels) {
    PanelRows& rows = panels.emplace_back(PanelRows{Decode(panel.title), {}});
    for (const BarChart::Bar& bar : panel.bars) rows.rows.push_back(RowOf(chart, bar));
  }
  return panels;
}

double WithoutNoteWidth(const Row& row) {
  const double reference = row.reference.empty() ? 0 : kGap + WidthOf(row.reference, kTextFont);
  return WidthOf(row.value, kValueFont) + reference;
}

double BesideBarWidth(const Row& row) {
  return WithoutNoteWidth(row) + (row.note.empty() ? 0 : kGap + WidthOf(row.note, kTextFont));
}

// One axis for all panels, so that bars compare across them.
struct Scale {
  double left = 0;
  double width = 0;
  int low = 0;  // Decades of 1 us: where the axis begins, always a labelled one, and ends.
  double high = 3;

  double FractionOf(double log) const { return (log - low) / (high - low); }
  double X(double log) const { return left + width * FractionOf(log); }
  double XOf(const std::optional<double>& log) const { return log ? X(*log) : left; }
  double TextX(const Row& row) const {
    return std::max(XOf(row.log_us), XOf(row.log_reference)) + kGap;
  }
};

template <typename Visit>
void ForEachRow(const std::vector<PanelRows>& panels, Visit visit) {
  for (const PanelRows& panel : panels) {
    for (const Row& row : panel.rows) visit(row);
  }
}

void SetRange(const std::vector<PanelRows>& panels, Scale* scale) {
  std::vector<double> logs;
  ForEachRow(panels, [&](const Row& row) {
    for (const std::optional<double>& log : {row.log_us, row.log_reference}) {
      if (log) logs.push_back(*log);
    }
  });
  if (logs.empty()) return;
  const auto [least, most] = std::minmax_element(logs.begin(), logs.end());
  // A tenth of a decade at least is left for the shortest bar to be seen.
  scale->low = static_cast<int>(std::floor(*least - 0.1));
  // Up to the next of 1, 2, ... 9 times a power of ten; a whole decade would leave too much blank.
  const double decade = std::floor(*most);
  double high = decade + 1;
  for (int digit = 9; digit >= 1 && decade + std::log10(digit) >= *most - 1e-9; --digit) {
    high = decade + std::log10(digit);
  }
  scale->high = std::max(high, scale->low + 1.0);
}

Scale ScaleOf(const std::vector<PanelRows>& panels) {
  Scale scale;
  SetRange(panels, &scale);
  double label_width = kTickRoom;  // Also half of the first tick label is left of the plot.
  ForEachRow(panels, [&](const Row& row) {
    label_width = std::max(label_width, WidthOf(row.label, kTextFont));
  });
  scale.left = kMargin + std::min(label_width, kMaxLabelWidth) + kGap;
  // The widest plot that leaves every row's text its place beyond the row's bar.
  scale.width = kRight - kTickRoom - scale.left;
  const double room = scale.width;
  ForEachRow(panels, [&](const Row& row) {
    const double end =
        std::max(row.log_us.value_or(scale.low), row.log_reference.value_or(scale.low));
    const double fraction = scale.FractionOf(end);
    // Less a pixel, so that rounding does not cut what has just found its place.
    const double left_over = kRight - scale.left - kGap - BesideBarWidth(row) - 1;
    if (left_over < room * fraction) scale.width = std::min(scale.width, left_over / fraction);
  });
  scale.width = std::max(scale.width, kMinPlotWidth);
  return scale;
}

// --- Drawing ---

// Two decimals at most, none that say nothing.
std::string Px(double value) {
  std::string text = fmt::format("{:.2f}", value);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text;
}

constexpr const char* kBoldAttribute = " font-weight=\"bold\"";

std::string TextTag(double x, double y, Font font, const char* fill, std::string_view more,
                    const Text& text) {
  return fmt::format("<text x=\"{}\" y=\"{}\" font-size=\"{}\" fill=\"{}\"{}{}>{}</text>\n", Px(x),
                     Px(y), font.size, fill, font.bold ? kBoldAttribute : "", more, Escape(text));
}

std::string RectTag(const char* name, double x, double y, double width, double height,
                    const char* fill) {
  return fmt::format(
      "<rect class=\"{}\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"{}\"/>\n", name,
      Px(x), Px(y), Px(width), Px(height), fill);
}

// Black in a white rim: to be seen on every bar and beside it.
std::string ReferenceTag(const char* name, double x, double middle) {
  return RectTag("rim", x - 2.5, middle - kBarHeight / 2 - 3, 5, kBarHeight + 6, "#ffffff") +
         RectTag(name, x - 1.25, middle - kBarHeight / 2 - 3, 2.5, kBarHeight + 6, kInk);
}

std::string Span(const char* fill, const char* more, const Text& text) {
  if (text.empty()) return "";
  return fmt::format("<tspan fill=\"{}\"{}>{}</tspan>", fill, more, Escape(text));
}

std::string Tooltip(const Row& row) {
  Text text = row.label + U": " + row.value;
  for (const Text* part : {&row.reference, &row.note}) {
    if (!part->empty()) text += U", " + *part;
  }
  return "<title>" + Escape(text) + "</title>\n";
}

std::string DrawRow(const Row& row, const Scale& scale, double middle) {
  const double base = middle + 4.5;
  const double text_x = scale.TextX(row);
  const double note_room = kRight - text_x - WithoutNoteWidth(row) - kGap;
  std::string svg = "<g>\n" + Tooltip(row);
  svg += TextTag(scale.left - kGap, base, kTextFont, kInk, " class=\"label\" text-anchor=\"end\"",
                 Fitted(row.label, kMaxLabelWidth, kTextFont));
  svg += RectTag("bar", scale.left, middle - kBarHeight / 2, scale.XOf(row.log_us) - scale.left,
                 kBarHeight, row.colour);
  if (row.log_reference) svg += ReferenceTag("reference", scale.X(*row.log_reference), middle);
  const std::string gap = fmt::format(" dx=\"{}\"", Px(kGap));
  svg +=
      fmt::format("<text class=\"value\" x=\"{}\" y=\"{}\" font-size=\"{}\">{}{}{}</text>\n</g>\n",
                  Px(text_x), Px(base), kTextFont.size,
                  Span(row.log_us ? kInk : kSoftInk,
                       row.log_us ? kBoldAttribute : " font-style=\"italic\"", row.value),
                  Span(kInk, gap.c_str(), row.reference),
                  Span(kSoftInk, gap.c_str(), Fitted(row.note, note_room, kTextFont)));
  return svg;
}

std::string Line(const char* name, const char* stroke, double x1, double y1, double x2, double y2) {
  return fmt::format("<line class=\"{}\" x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\" stroke=\"{}\"/>\n",
                     name, Px(x1), Px(y1), Px(x2), Px(y2), stroke);
}

// Grid lines and tick labels; as many decades between two of them as the labels need.
std::string DrawDecades(const Scale& scale, double top, double bottom) {
  const double decade_width = scale.width / (scale.high - scale.low);
  const int last = static_cast<int>(std::floor(scale.high + 1e-9));
  double label_width = 0;
  for (int decade = scale.low; decade <= last; ++decade) {
    label_width = std::max(label_width, WidthOf(Decode(DecadeText(decade)), kTickFont));
  }
  const int step = static_cast<int>(std::ceil((label_width + kGap) / decade_width));
  std::string svg;
  for (int decade = scale.low; decade <= last; decade += step) {
    const double x = scale.X(decade);
    svg += Line("grid", decade == scale.low ? kAxisColour : kGridColour, x, top, x, bottom + 5);
    svg += TextTag(x, bottom + 19, kTickFont, kSoftInk, " class=\"tick\" text-anchor=\"middle\"",
                   Decode(DecadeText(decade)));
  }
  if (step > 1) return svg;
  // 2, 3, ... 9 times the decade: what makes a logarithmic axis look like one.
  for (int decade = scale.low; decade <= last; ++decade) {
    for (int digit = 2; digit <= 9; ++digit) {
      const double log = decade + std::log10(digit);
      if (log > scale.high + 1e-9) break;
      svg += Line("minor", kAxisColour, scale.X(log), bottom, scale.X(log), bottom + 3);
    }
  }
  return svg;
}

class Page {
 public:
  void AddHeader(const BarChart& chart) {
    if (!chart.title.empty()) {
      y_ += 18;
      svg_ += TextTag(kMargin, y_, kTitleFont, kInk, " class=\"title\"",
                      Fitted(Decode(chart.title), kRight - kMargin, kTitleFont));
      y_ += 6;
    }
    for (const Text& line : Wrapped(Decode(chart.subtitle), kRight - kMargin, kSubtitleFont)) {
      y_ += kLineHeight;
      svg_ += TextTag(kMargin, y_, kSubtitleFont, kSoftInk, " class=\"subtitle\"", line);
    }
    y_ += 12;
  }

  void AddLegend(const BarChart& chart, bool reference) {
    double x = kMargin;
    for (size_t i = 0; i < chart.groups.size(); ++i) {
      const Text name = PlaceEntry(chart.groups[i], &x);
      svg_ += RectTag("swatch", x, y_ + 4, kBarHeight, kBarHeight, kColours[i % kColours.size()]);
      EndEntry(name, &x);
    }
    if (reference) {
      const Text name = PlaceEntry(chart.reference_name, &x);
      svg_ += ReferenceTag("reference-swatch", x + kBarHeight / 2, y_ + 4 + kBarHeight / 2);
      EndEntry(name, &x);
    }
    if (x > kMargin) y_ += kLegendPitch;
  }

  void AddPanel(const PanelRows& panel, const Scale& scale) {
    y_ += 32;
    svg_ += TextTag(kMargin, y_, kPanelFont, kInk, " class=\"panel\"",
                    Fitted(panel.title, kRight - kMargin, kPanelFont));
    y_ += 10;
    const double bottom = y_ + 2 * kRowPadding + kRowPitch * static_cast<double>(panel.rows.size());
    svg_ += DrawDecades(scale, y_, bottom);
    svg_ += Line("axis", kAxisColour, scale.left, bottom, scale.left + scale.width, bottom);
    double middle = y_ + kRowPadding + kRowPitch / 2;
    for (const Row& row : panel.rows) {
      svg_ += DrawRow(row, scale, middle);
      middle += kRowPitch;
    }
    y_ = bottom + 22;
  }

  void AddCaption(const Scale& scale) {
    y_ += 18;
    svg_ += TextTag(scale.left + scale.width / 2, y_, kTickFont, kSoftInk,
                    " class=\"caption\" text-anchor=\"middle\"",
                    U"time, logarithmic scale; shorter is better");
  }

  void AddRemark(const char* text) {
    y_ += 24;
    svg_ += TextTag(kMargin, y_, kTextFont, kSoftInk, "", Decode(text));
  }

  std::string Finish(const std::string& title) const {
    const std::string height = Px(std::ceil(y_ + kMargin));
    const std::string width = Px(kWidth);
    return fmt::format(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" "
        "viewBox=\"0 0 {0} {1}\" font-family=\"Helvetica, Arial, 'DejaVu Sans', sans-serif\">\n"
        "<title>{2}</title>\n"
        "<rect width=\"{0}\" height=\"{1}\" fill=\"#ffffff\"/>\n"
        "{3}</svg>\n",
        width, height, Escape(Decode(title)), svg_);
  }

 private:
  // Moves to the next line where the entry does not fit into this one.
  Text PlaceEntry(const std::string& name, double* x) {
    Text text = Fitted(Decode(name), kMaxLabelWidth, kTextFont);
    if (*x > kMargin && *x + kBarHeight + kGap + WidthOf(text, kTextFont) > kRight) {
      *x = kMargin;
      y_ += kLegendPitch;
    }
    return text;
  }

  void EndEntry(const Text& name, double* x) {
    *x += kBarHeight + kGap;
    svg_ += TextTag(*x, y_ + 15.5, kTextFont, kInk, " class=\"legend\"", name);
    *x += WidthOf(name, kTextFont) + 2 * kGap;
  }

  std::string svg_;
  double y_ = kMargin;  // The top of what comes next.
};

}  // namespace

std::string ToSvg(const BarChart& chart) {
  const std::vector<PanelRows> panels = PanelsOf(chart);
  const Scale scale = ScaleOf(panels);
  bool any_row = false;
  bool any_reference = false;
  ForEachRow(panels, [&](const Row& row) {
    any_row = true;
    any_reference = any_reference || row.log_reference.has_value();
  });
  Page page;
  page.AddHeader(chart);
  page.AddLegend(chart, any_reference);
  for (const PanelRows& panel : panels) page.AddPanel(panel, scale);
  if (any_row) {
    page.AddCaption(scale);
  } else {
    page.AddRemark("nothing to show");
  }
  return page.Finish(chart.title);
}

}  // namespace tilewave::report
