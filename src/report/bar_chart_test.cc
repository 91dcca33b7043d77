#include "report/bar_chart.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdlib>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tilewave::report {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kWidth = 1100;

// --- A reader of the XML that the chart may use: elements, quoted attributes, text, no comments
// ---

struct Element {
  std::string name;
  std::map<std::string, std::string> attributes;
  std::string text;  // Its own and that of its children, entities undone to ASCII.

  std::string Get(const std::string& key) const {
    const auto found = attributes.find(key);
    return found == attributes.end() ? "" : found->second;
  }
  double Number(const std::string& key) const {
    EXPECT_TRUE(attributes.count(key)) << name << " has no " << key;
    return std::strtod(Get(key).c_str(), nullptr);
  }
};

class XmlReader {
 public:
  explicit XmlReader(std::string_view xml) : xml_(xml) {}

  // The elements in the order of their start tags. Whatever is malformed fails the test.
  std::vector<Element> Read() {
    const std::string_view declaration = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
    EXPECT_EQ(xml_.substr(0, declaration.size()), declaration);
    at_ = declaration.size();
    while (good_ && at_ < xml_.size()) {
      if (xml_[at_] == '<') {
        ReadTag();
      } else {
        ReadText();
      }
    }
    Expect(open_.empty(), "an element is not closed");
    return elements_;
  }

 private:
  void Expect(bool condition, const char* what) {
    if (condition || !good_) return;
    good_ = false;
    ADD_FAILURE() << what << " at byte " << at_ << ": " << xml_.substr(at_, 60);
  }

  void ReadTag() {
    const size_t end = xml_.find('>', at_);
    Expect(end != std::string_view::npos, "a tag does not end");
    if (!good_) return;
    std::string_view tag = xml_.substr(at_ + 1, end - at_ - 1);
    Expect(tag.find('<') == std::string_view::npos, "a < in a tag");
    if (tag.starts_with('/')) {
      Expect(!open_.empty() && elements_[open_.back()].name == tag.substr(1), "not what is open");
      if (good_) open_.pop_back();
    } else {
      Expect(elements_.empty() || !open_.empty(), "a second root");
      const bool closed = tag.ends_with('/');
      if (closed) tag.remove_suffix(1);
      elements_.push_back(StartTag(tag));
      if (!closed) open_.push_back(elements_.size() - 1);
    }
    at_ = end + 1;
  }

  Element StartTag(std::string_view tag) {
    size_t space = std::min(tag.find(' '), tag.size());
    Element element{std::string(tag.substr(0, space)), {}, ""};
    Expect(!element.name.empty(), "a tag without a name");
    while (good_ && space < tag.size()) {
      tag.remove_prefix(space + 1);
      const size_t equals = tag.find("=\"");
      Expect(equals != std::string_view::npos, "an attribute without a quoted value");
      const size_t quote = good_ ? tag.find('"', equals + 2) : equals;
      Expect(quote != std::string_view::npos, "a quote does not end");
      if (!good_) break;
      const std::string key(tag.substr(0, equals));
      Expect(element.attributes.count(key) == 0, "an attribute twice");
      element.attributes[key] = Plain(tag.substr(equals + 2, quote - equals - 2));
      space = quote + 1;
      Expect(space == tag.size() || tag[space] == ' ', "no space between attributes");
    }
    return element;
  }

  void ReadText() {
    const size_t end = std::min(xml_.find('<', at_), xml_.size());
    const std::string text = Plain(xml_.substr(at_, end - at_));
    Expect(!open_.empty() || text == "\n", "text outside of the root");
    for (const size_t i : open_) elements_[i].text += text;
    at_ = end;
  }

  // Entities become their characters, those of numbers "{hex}".
  std::string Plain(std::string_view text) {
    static const std::map<std::string, std::string> kNamed = {
        {"amp", "&"}, {"lt", "<"}, {"gt", ">"}, {"quot", "\""}, {"apos", "'"}};
    std::string plain;
    for (size_t i = 0; good_ && i < text.size(); ++i) {
      const char c = text[i];
      Expect(c == '\n' || (c >= ' ' && c <= '~'), "a byte that is no printable ASCII");
      if (c != '&') {
        plain += c;
        continue;
      }
      const size_t end = text.find(';', i);
      Expect(end != std::string_view::npos, "a & that starts no entity");
      if (!good_) break;
      const std::string name(text.substr(i + 1, end - i - 1));
      const bool numeric = name.starts_with("#x");
      Expect(numeric || kNamed.count(name) == 1, "an unknown entity");
      if (good_) plain += numeric ? "{" + name.substr(2) + "}" : kNamed.at(name);
      i = end;
    }
    return plain;
  }

  std::string_view xml_;
  size_t at_ = 0;
  bool good_ = true;
  std::vector<Element> elements_;
  std::vector<size_t> open_;
};

using Elements = std::vector<Element>;

Elements Drawn(const BarChart& chart) { return XmlReader(ToSvg(chart)).Read(); }

Elements OfClass(const Elements& elements, const std::string& name) {
  Elements found;
  for (const Element& element : elements) {
    if (element.Get("class") == name) found.push_back(element);
  }
  return found;
}

std::vector<std::string> TextsOf(const Elements& elements, const std::string& name) {
  std::vector<std::string> texts;
  for (const Element& element : OfClass(elements, name)) texts.push_back(element.text);
  return texts;
}

std::vector<double> NumbersOf(const Elements& elements, const std::string& name,
                              const std::string& key) {
  std::vector<double> numbers;
  for (const Element& element : OfClass(elements, name)) numbers.push_back(element.Number(key));
  return numbers;
}

using Strings = std::vector<std::string>;

BarChart::Bar TimeBar(const std::string& label, double us) { return {label, us, "", {}, 0}; }

BarChart OnePanel(std::vector<BarChart::Bar> bars) {
  BarChart chart;
  chart.title = "title";
  chart.subtitle = "simulated";
  chart.groups = {"group"};
  chart.panels = {{"panel", std::move(bars)}};
  return chart;
}

// Three panels of 20 bars over seven decades, with references and notes.
BarChart FullChart() {
  BarChart chart;
  chart.title = "INT8 matmul on one core";
  chart.subtitle = "simulated, profile phoenix";
  chart.groups = {"scalar", "vector", "K loop on the device"};
  for (int panel = 0; panel < 3; ++panel) {
    BarChart::Panel& bars = chart.panels.emplace_back();
    bars.title = "size " + std::to_string(512 >> panel);
    for (int i = 0; i < 20; ++i) {
      const double us = 15034e3 / std::pow(2, i + panel);
      bars.bars.push_back({"packed_tile 64, runlist " + std::to_string(i),
                           us,
                           "32,768 launches, lossy",
                           {},
                           i / 7});
      if (i % 4 == 0) bars.bars.back().reference_us = us * 1.5;
    }
  }
  return chart;
}

// --- Form ---

TEST(BarChartTest, WholeChartIsWellFormedAndStandsAlone) {
  const Elements elements = Drawn(FullChart());
  ASSERT_FALSE(elements.empty());
  EXPECT_EQ(elements[0].name, "svg");
  EXPECT_EQ(elements[0].Get("xmlns"), "http://www.w3.org/2000/svg");
  EXPECT_EQ(elements[0].Number("width"), kWidth);
  EXPECT_EQ(elements[0].Get("viewBox"), "0 0 1100 " + elements[0].Get("height"));
  EXPECT_NE(elements[0].Get("font-family").find("sans-serif"), std::string::npos);
  for (const Element& element : elements) {
    for (const char* foreign : {"script", "style", "image", "a", "use", "foreignObject"}) {
      EXPECT_NE(element.name, foreign);
    }
    EXPECT_EQ(element.Get("href") + element.Get("xlink:href"), "");
  }
  EXPECT_EQ(OfClass(elements, "bar").size(), 60u);
  EXPECT_EQ(OfClass(elements, "reference").size(), 15u);
  EXPECT_EQ(OfClass(elements, "axis").size(), 3u);
}

TEST(BarChartTest, SameChartGivesTheSameBytes) {
  EXPECT_EQ(ToSvg(FullChart()), ToSvg(FullChart()));
  EXPECT_TRUE(ToSvg(FullChart()).ends_with("</svg>\n"));
}

TEST(BarChartTest, EmptyChartSaysSo) {
  const Elements elements = Drawn({});
  EXPECT_NE(elements.at(0).text.find("nothing to show"), std::string::npos);
  EXPECT_TRUE(OfClass(elements, "bar").empty());
  EXPECT_TRUE(OfClass(elements, "axis").empty());
  const Elements bare = Drawn(OnePanel({}));
  EXPECT_EQ(TextsOf(bare, "panel"), (Strings{"panel"}));
  EXPECT_NE(bare.at(0).text.find("nothing to show"), std::string::npos);
}

// --- Text ---

TEST(BarChartTest, EveryTextIsEscaped) {
  const std::string text = "a<b> & \"c\" 'd' </svg>";
  BarChart chart = OnePanel({{text, 1000, text, 900, 0}});
  chart.title = chart.subtitle = chart.reference_name = chart.groups[0] = text;
  chart.panels[0].title = text;
  const Elements elements = Drawn(chart);
  for (const char* name : {"title", "subtitle", "panel", "label"}) {
    EXPECT_EQ(TextsOf(elements, name), (Strings{text})) << name;
  }
  EXPECT_EQ(TextsOf(elements, "legend"), (Strings{text, text}));
  EXPECT_EQ(TextsOf(elements, "value"), (Strings{"1.00 ms" + text + " 900 us" + text}));
}

TEST(BarChartTest, LettersBeyondAsciiAreReferences) {
  const Elements elements =
      Drawn(OnePanel({TimeBar("64\xC3\x97"
                              "64 \xE2\x86\x92 \xF0\x9F\x98\x80",
                              1)}));
  EXPECT_EQ(TextsOf(elements, "label"), (Strings{"64{D7}64 {2192} {1F600}"}));
}

TEST(BarChartTest, WhatXmlCannotHoldIsReplaced) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {std::string("a\0b", 3), "a{FFFD}b"},
      {"a\x01\x1F\x7F", "a{FFFD}{FFFD}{FFFD}"},
      {"a\tb\nc\rd", "a b c d"},
      {"\xFF\xFE", "{FFFD}{FFFD}"},
      {"\x80", "{FFFD}"},
      {"cut \xE2\x86", "cut {FFFD}{FFFD}"},
      {"\xC3(", "{FFFD}("},
      {"overlong \xC0\xBC \xE0\x80\xBC", "overlong {FFFD}{FFFD} {FFFD}{FFFD}{FFFD}"},
      {"surrogate \xED\xA0\x80", "surrogate {FFFD}"},
      {"\xEF\xBF\xBF", "{FFFD}"},
      {"beyond \xF4\x90\x80\x80", "beyond {FFFD}"},
      {"\xF5\x80\x80\x80", "{FFFD}{FFFD}{FFFD}{FFFD}"},
      {"\xC2\x85", "{FFFD}"},
      {"\xC2\xA0", "{A0}"},
      {"\xF4\x8F\xBF\xBD", "{10FFFD}"},
  };
  for (const auto& [label, shown] : cases) {
    EXPECT_EQ(TextsOf(Drawn(OnePanel({TimeBar(label, 1)})), "label"), (Strings{shown}));
  }
}

TEST(BarChartTest, OrderOfPanelsAndBarsIsKept) {
  BarChart chart = OnePanel({TimeBar("z", 5), TimeBar("a", 500), TimeBar("m", 50)});
  chart.panels.push_back({"another", {TimeBar("b", 7)}});
  const Elements elements = Drawn(chart);
  EXPECT_EQ(TextsOf(elements, "panel"), (Strings{"panel", "another"}));
  EXPECT_EQ(TextsOf(elements, "label"), (Strings{"z", "a", "m", "b"}));
  EXPECT_EQ(TextsOf(elements, "value"), (Strings{"5.00 us", "500 us", "50.0 us", "7.00 us"}));
  const std::vector<double> y = NumbersOf(elements, "bar", "y");
  EXPECT_TRUE(std::is_sorted(y.begin(), y.end()));
}

TEST(BarChartTest, RowSaysValueReferenceAndNote) {
  BarChart chart = OnePanel({{"a", 11485e3, "32,768 launches", 15034e3, 0}, TimeBar("b", 1000)});
  chart.reference_name = "measured by them";
  const Elements elements = Drawn(chart);
  EXPECT_EQ(TextsOf(elements, "value"),
            (Strings{"11.5 smeasured by them 15.0 s32,768 launches", "1.00 ms"}));
  EXPECT_EQ(TextsOf(elements, "legend"), (Strings{"group", "measured by them"}));
  EXPECT_EQ(OfClass(elements, "reference").size(), 1u);
  chart.panels[0].bars[0].reference_us.reset();
  EXPECT_EQ(TextsOf(Drawn(chart), "legend"), (Strings{"group"}));
}

TEST(BarChartTest, LongSubtitleIsWrappedBetweenWords) {
  BarChart chart = OnePanel({TimeBar("a", 1)});
  chart.subtitle = "simulated";
  for (int i = 0; i < 60; ++i) chart.subtitle += " word" + std::to_string(i);
  std::string joined;
  const Strings lines = TextsOf(Drawn(chart), "subtitle");
  for (const std::string& line : lines) joined += (joined.empty() ? "" : " ") + line;
  EXPECT_EQ(joined, chart.subtitle);
  EXPECT_GE(lines.size(), 3u);
  EXPECT_LE(lines.size(), 6u);
}

TEST(BarChartTest, TooltipHoldsWhatIsCut) {
  const std::string label(300, 'W');
  const std::string note(400, 'n');
  const Elements elements = Drawn(OnePanel({{label, 1000, note, 2000, 0}}));
  const std::string shown = TextsOf(elements, "label").at(0);
  EXPECT_LT(shown.size(), 60u);
  EXPECT_TRUE(shown.ends_with("W{2026}")) << shown;
  EXPECT_TRUE(TextsOf(elements, "value").at(0).ends_with("n{2026}"));
  const std::string whole = label + ": 1.00 ms, published 2.00 ms, " + note;
  EXPECT_TRUE(std::any_of(elements.begin(), elements.end(), [&](const Element& element) {
    return element.name == "title" && element.text == whole;
  }));
}

// --- Geometry ---

TEST(BarChartTest, BarsAreProportionalToTheLogarithm) {
  const Elements elements = Drawn(OnePanel(
      {TimeBar("a", 20), TimeBar("b", 200), TimeBar("c", 2e5), TimeBar("d", 20 * std::sqrt(10))}));
  const std::vector<double> width = NumbersOf(elements, "bar", "width");
  ASSERT_EQ(width.size(), 4u);
  const double decade = width[1] - width[0];
  EXPECT_GT(decade, 100);
  EXPECT_NEAR(width[2] - width[1], 3 * decade, 0.03);
  EXPECT_NEAR(width[3] - width[0], decade / 2, 0.02);
  EXPECT_NEAR(width[0], decade * std::log10(2), 0.02);  // The axis begins at 10 us.
}

TEST(BarChartTest, DecadesStandWhereTheirBarsEnd) {
  const Elements elements =
      Drawn(OnePanel({TimeBar("a", 3), TimeBar("b", 100), TimeBar("c", 1e6), TimeBar("d", 1.5e7)}));
  EXPECT_EQ(TextsOf(elements, "tick"),
            (Strings{"1 us", "10 us", "100 us", "1 ms", "10 ms", "100 ms", "1 s", "10 s"}));
  const std::vector<double> x = NumbersOf(elements, "grid", "x1");
  ASSERT_EQ(x.size(), 8u);
  EXPECT_EQ(x, NumbersOf(elements, "tick", "x"));
  const Elements bars = OfClass(elements, "bar");
  EXPECT_NEAR(bars[1].Number("x") + bars[1].Number("width"), x[2], 0.02);
  EXPECT_NEAR(bars[2].Number("x") + bars[2].Number("width"), x[6], 0.02);
  EXPECT_EQ(bars[0].Number("x"), x[0]);
  // The axis ends at 20 s, the next step that holds all bars.
  const Element axis = OfClass(elements, "axis").at(0);
  EXPECT_NEAR(axis.Number("x2"), x[7] + (x[7] - x[6]) * std::log10(2), 0.02);
}

TEST(BarChartTest, ShortestBarOnADecadeIsStillSeen) {
  const Elements elements = Drawn(OnePanel({TimeBar("a", 1000), TimeBar("b", 1100)}));
  EXPECT_EQ(TextsOf(elements, "tick"), (Strings{"100 us", "1 ms"}));
  EXPECT_GT(NumbersOf(elements, "bar", "width").at(0), 20);
}

TEST(BarChartTest, PanelsShareOneAxis) {
  BarChart chart = OnePanel({TimeBar("a", 1e7)});
  chart.panels.push_back({"small", {TimeBar("a", 40), TimeBar("b", 1e7)}});
  const Elements elements = Drawn(chart);
  const std::vector<double> width = NumbersOf(elements, "bar", "width");
  EXPECT_EQ(width[0], width[2]);
  EXPECT_GT(width[0], 5 * width[1]);
  const Strings ticks = TextsOf(elements, "tick");
  EXPECT_EQ(Strings(ticks.begin(), ticks.begin() + 7), Strings(ticks.begin() + 7, ticks.end()));
}

TEST(BarChartTest, ReferenceStandsAtItsTime) {
  const Elements elements =
      Drawn(OnePanel({{"a", 1e4, "", 1e6, 0}, {"b", 1e6, "", 1e4, 0}, TimeBar("c", 1e3)}));
  const Elements bars = OfClass(elements, "bar");
  const Elements ticks = OfClass(elements, "reference");
  ASSERT_EQ(ticks.size(), 2u);
  const auto middle = [](const Element& tick) {
    return tick.Number("x") + tick.Number("width") / 2;
  };
  EXPECT_NEAR(middle(ticks[0]), bars[1].Number("x") + bars[1].Number("width"), 0.02);
  EXPECT_NEAR(middle(ticks[1]), bars[0].Number("x") + bars[0].Number("width"), 0.02);
  EXPECT_LT(std::abs(ticks[0].Number("y") - bars[0].Number("y")), 5);
  // The text begins right of both, whichever is longer.
  const std::vector<double> x = NumbersOf(elements, "value", "x");
  EXPECT_GT(x[0], middle(ticks[0]) + 2);
  EXPECT_GT(x[1], bars[1].Number("x") + bars[1].Number("width") + 2);
}

TEST(BarChartTest, RowsDoNotTouch) {
  const Elements elements = Drawn(FullChart());
  const double height = elements[0].Number("height");
  std::vector<double> lines;  // Of all lines of text, from top to bottom.
  for (const char* name : {"title", "subtitle", "panel", "label", "caption"}) {
    for (const double y : NumbersOf(elements, name, "y")) lines.push_back(y);
  }
  const std::vector<double> ticks = NumbersOf(elements, "tick", "y");
  lines.insert(lines.end(), ticks.begin(), ticks.end());
  std::sort(lines.begin(), lines.end());
  lines.erase(std::unique(lines.begin(), lines.end()), lines.end());
  EXPECT_EQ(lines.size(), 1u + 1 + 3 + 60 + 3 + 1);
  for (size_t i = 1; i < lines.size(); ++i) EXPECT_GE(lines[i] - lines[i - 1], 16) << lines[i];
  EXPECT_LT(lines.back() + 5, height);
  EXPECT_EQ(NumbersOf(elements, "label", "y"), NumbersOf(elements, "value", "y"));
  const Elements bars = OfClass(elements, "bar");
  for (size_t i = 1; i < bars.size(); ++i) {
    EXPECT_GE(bars[i].Number("y"), bars[i - 1].Number("y") + bars[i - 1].Number("height") + 4);
  }
}

// A letter's advance in the widest usual face, DejaVu Sans, in parts of the font size.
struct Letter {
  char letter;
  double advance;
};

TEST(BarChartTest, NothingIsCutOffAtTheRightEdge) {
  for (const Letter& letter : {Letter{'W', 0.989}, Letter{'m', 0.974}, Letter{'i', 0.278},
                               Letter{'n', 0.634}, Letter{'@', 1.0}}) {
    const std::string note(300, letter.letter);
    const Elements elements = Drawn(OnePanel({{"long", 1.5e7, note, 1.6e7, 0},
                                              {std::string(200, 'W'), 3e3, note, {}, 0},
                                              {"none", 0, note, {}, 0}}));
    const Elements values = OfClass(elements, "value");
    for (size_t row = 0; row < values.size(); ++row) {
      const std::string& text = values[row].text;
      const auto shown = std::count(text.begin(), text.end(), letter.letter);
      const double head = row == 0 ? 182 : 50;  // "15.0 s", "published 16.0 s", less than that.
      const double size = values[row].Number("font-size");
      const double end =
          values[row].Number("x") + head + (static_cast<double>(shown) * letter.advance + 1) * size;
      EXPECT_LE(end, kWidth) << letter.letter << " in row " << row;
      EXPECT_GT(end, kWidth - 150) << letter.letter << " in row " << row;
    }
  }
}

TEST(BarChartTest, LongestNamesLeaveRoomForTheFigures) {
  BarChart chart = OnePanel({{std::string(300, 'W'), 1e300, "note", 1.5e300, 0}, TimeBar("b", 1)});
  chart.reference_name = std::string(300, 'M');
  const Element value = OfClass(Drawn(chart), "value").at(0);
  const auto shown = static_cast<double>(std::count(value.text.begin(), value.text.end(), 'M'));
  EXPECT_GE(shown, 5);
  EXPECT_NE(value.text.find("1.00e+294 s"), std::string::npos);
  EXPECT_NE(value.text.find("1.50e+294 s"), std::string::npos);
  // The figures take 86 and 82 at 13 px, two gaps of 8 and an ellipsis 13 each.
  EXPECT_LE(value.Number("x") + shown * 0.863 * 13 + 86 + 82 + 2 * 8 + 2 * 13, kWidth);
}

TEST(BarChartTest, NotesThatFitAreNotCut) {
  for (int length = 0; length < 40; ++length) {
    const std::string note(static_cast<size_t>(length), 'n');
    const Elements elements = Drawn(
        OnePanel({{"a", 1.5e7, note, {}, 0}, {"b", 1.7e7, note, 1.6e7, 0}, TimeBar("c", 4400)}));
    EXPECT_EQ(TextsOf(elements, "value").at(0), "15.0 s" + note);
    EXPECT_EQ(TextsOf(elements, "value").at(1), "17.0 spublished 16.0 s" + note);
  }
}

// --- Groups ---

TEST(BarChartTest, GroupsHaveTheColoursOfTheLegend) {
  BarChart chart = OnePanel({});
  chart.groups = {"a", "b", "c", "d", "e", "f", "g", "h"};
  for (const int group : {2, 0, 1, 3, 4, 5, 6, 7, -1, 8}) {
    chart.panels[0].bars.push_back({"bar", 100, "", {}, group});
  }
  const Elements elements = Drawn(chart);
  EXPECT_EQ(TextsOf(elements, "legend"), chart.groups);
  const auto fills = [&](const char* name) {
    Strings colours;
    for (const Element& e : OfClass(elements, name)) colours.push_back(e.Get("fill"));
    return colours;
  };
  const Strings legend = fills("swatch");
  const Strings bars = fills("bar");
  EXPECT_EQ(Strings(bars.begin(), bars.begin() + 3), (Strings{legend[2], legend[0], legend[1]}));
  EXPECT_EQ(bars[7], legend[0]);  // The eighth repeats the first.
  EXPECT_EQ(bars[8], bars[9]);    // No group: grey.
  EXPECT_EQ(std::count(legend.begin(), legend.end(), bars[8]), 0);
  Strings seven(legend.begin(), legend.begin() + 7);
  std::sort(seven.begin(), seven.end());
  EXPECT_EQ(std::unique(seven.begin(), seven.end()), seven.end());
}

TEST(BarChartTest, LongLegendTakesMoreLines) {
  BarChart chart = OnePanel({{"a", 10, "", 20, 0}});
  chart.groups = Strings(9, "a group with a rather long name");
  const Elements elements = Drawn(chart);
  const Elements entries = OfClass(elements, "legend");
  ASSERT_EQ(entries.size(), 10u);
  for (size_t i = 0; i < entries.size(); ++i) {
    const double end = entries[i].Number("x") + 31 * 0.55 * entries[i].Number("font-size");
    EXPECT_LE(end, kWidth) << i;
    if (i == 0 || entries[i].Number("y") > entries[i - 1].Number("y")) continue;
    EXPECT_EQ(entries[i].Number("y"), entries[i - 1].Number("y"));
    EXPECT_GT(entries[i].Number("x"), entries[i - 1].Number("x") + 200);
  }
  EXPECT_GE(entries.back().Number("y"), entries.front().Number("y") + 40);
  EXPECT_GT(NumbersOf(elements, "panel", "y").at(0), entries.back().Number("y") + 24);
}

// --- Times that are none, and extreme ones ---

TEST(BarChartTest, NoTimeIsABarOfNoLength) {
  const Elements elements = Drawn(OnePanel({{"nan", kNan, "refused", {}, 0},
                                            TimeBar("inf", kInfinity),
                                            TimeBar("-inf", -kInfinity),
                                            TimeBar("zero", 0),
                                            TimeBar("negative", -5),
                                            TimeBar("good", 2e3)}));
  EXPECT_EQ(TextsOf(elements, "value"),
            (Strings{"no timerefused", "no time", "no time", "no time", "no time", "2.00 ms"}));
  const std::vector<double> width = NumbersOf(elements, "bar", "width");
  EXPECT_EQ(std::vector<double>(width.begin(), width.end() - 1), std::vector<double>(5, 0.0));
  EXPECT_GT(width.back(), 100);
  EXPECT_EQ(TextsOf(elements, "tick"), (Strings{"1 ms", "10 ms"}));
}

TEST(BarChartTest, ReferenceThatIsNoTimeIsLeftOut) {
  for (const double reference : {kNan, kInfinity, -kInfinity, 0.0, -1.0}) {
    const Elements elements = Drawn(OnePanel({{"a", 2e3, "note", reference, 0}}));
    EXPECT_TRUE(OfClass(elements, "reference").empty());
    EXPECT_EQ(TextsOf(elements, "value"), (Strings{"2.00 msnote"}));
    EXPECT_EQ(TextsOf(elements, "legend"), (Strings{"group"}));
  }
}

TEST(BarChartTest, ReferenceStandsWithoutATime) {
  const Elements elements = Drawn(OnePanel({{"a", kNan, "", 5e3, 0}, TimeBar("b", 2e6)}));
  EXPECT_EQ(OfClass(elements, "reference").size(), 1u);
  EXPECT_EQ(TextsOf(elements, "value").at(0), "no timepublished 5.00 ms");
  EXPECT_EQ(TextsOf(elements, "tick").at(0), "1 ms");  // The axis reaches down to it.
}

TEST(BarChartTest, NoTimeAnywhereStillDraws) {
  const Elements elements = Drawn(OnePanel({TimeBar("a", 0), TimeBar("b", kNan)}));
  EXPECT_EQ(NumbersOf(elements, "bar", "width"), (std::vector<double>{0, 0}));
  EXPECT_EQ(TextsOf(elements, "tick"), (Strings{"1 us", "10 us", "100 us", "1 ms"}));
}

TEST(BarChartTest, ExtremeTimesStayOnThePage) {
  constexpr double kLeast = std::numeric_limits<double>::denorm_min();
  constexpr double kMost = std::numeric_limits<double>::max();
  const Elements elements = Drawn(
      OnePanel({TimeBar("least", kLeast), TimeBar("one", 1), {"most", kMost, "n", kMost, 0}}));
  EXPECT_EQ(TextsOf(elements, "value"),
            (Strings{"4.94e-324 us", "1.00 us", "1.80e+302 spublished 1.80e+302 sn"}));
  for (const Element& element : elements) {
    for (const char* key : {"x", "y", "width", "height", "x1", "x2"}) {
      if (element.attributes.count(key) == 0) continue;
      EXPECT_GE(element.Number(key), 0) << element.name << " " << key;
      EXPECT_LE(element.Number(key), kWidth) << element.name << " " << key;
      EXPECT_EQ(element.Get(key).find_first_not_of("0123456789."), std::string::npos);
    }
  }
  // Labels of 632 decades would lie on one another.
  const std::vector<double> x = NumbersOf(elements, "tick", "x");
  ASSERT_GE(x.size(), 4u);
  EXPECT_LE(x.size(), 14u);
  for (size_t i = 1; i < x.size(); ++i) EXPECT_GE(x[i] - x[i - 1], 60);
}

TEST(BarChartTest, TicksBelowAMicrosecondAndBeyondASecond) {
  EXPECT_EQ(TextsOf(Drawn(OnePanel({TimeBar("a", 2e-4), TimeBar("b", 2)})), "tick"),
            (Strings{"1e-04 us", "1e-03 us", "0.01 us", "0.1 us", "1 us"}));
  EXPECT_EQ(TextsOf(Drawn(OnePanel({TimeBar("a", 2e7), TimeBar("b", 2e12)})), "tick"),
            (Strings{"10 s", "100 s", "1,000 s", "10,000 s", "100,000 s", "1e+06 s"}));
}

}  // namespace
}  // namespace tilewave::report
