#pragma once

#include <optional>
#include <string>
#include <vector>

namespace tilewave::report {

/// Times as horizontal bars: panels under one another on one logarithmic axis. All texts are UTF-8;
/// what XML cannot hold becomes U+FFFD.
struct BarChart {
  struct Bar {
    std::string label;  ///< Left of the bar.
    double us = 0;     ///< Not finite or not positive: no bar, and "no time" in place of its value.
    std::string note;  ///< After the value: "32,768 launches, lossy".
    std::optional<double> reference_us;  ///< A figure of someone else: a tick, and its value.
    int group = 0;                       ///< Index into `groups`; grey outside of it.
  };
  struct Panel {
    std::string title;
    std::vector<Bar> bars;  ///< Drawn from top to bottom.
  };

  std::string title;
  std::string subtitle;             ///< What kind of times they are, and of which device.
  std::vector<std::string> groups;  ///< The legend. Colours repeat after the seventh.
  std::string reference_name = "published";
  std::vector<Panel> panels;
};

/// An SVG file without scripts, style sheets, links or fonts: 1100 px wide, as tall as needed,
/// ASCII, the same bytes for the same chart. What does not fit is cut with an ellipsis; the whole
/// text of a row is in its tooltip.
std::string ToSvg(const BarChart& chart);

}  // namespace tilewave::report
