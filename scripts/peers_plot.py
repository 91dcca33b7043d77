"""Draws what scripts/peers has measured: % of peak per shape, a panel per types, threads and form.

usage: peers_plot.py JSON_FILE OUTPUT.svg|.png
"""

import itertools
import json
import sys

try:
    import matplotlib
except ModuleNotFoundError:
    sys.exit("peers_plot: matplotlib is not installed")

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402
import peers_table  # noqa: E402

OWN = "#c1272d"
# Muted, so that one is seen first; still apart in grey.
OTHERS = ["#1f4e79", "#5b9bd5", "#7f7f7f", "#2e7d32", "#9ccc65", "#8d6e63", "#bdbdbd", "#455a64"]


def draw(axes, key: tuple, group: list[dict], colours: dict[str, str]) -> None:
    shapes = list(dict.fromkeys(row["shape"] for row in group))
    names = [name for name in colours if any(row["library"] == name and row["pct_peak"]
                                             for row in group)]
    width = 0.84 / max(1, len(names))
    for i, name in enumerate(names):
        of = {row["shape"]: row["pct_peak"] or 0 for row in group if row["library"] == name}
        places = [x - 0.42 + (i + 0.5) * width for x in range(len(shapes))]
        axes.bar(places, [of.get(shape, 0) for shape in shapes], width, color=colours[name],
                 zorder=3)
    axes.set_xticks(range(len(shapes)), shapes, rotation=20, ha="right", fontsize=7)
    axes.set_xlim(-0.6, len(shapes) - 0.4)
    highest = max((row["pct_peak"] or 0 for row in group), default=0)
    axes.set_ylim(0, max(100, 1.05 * highest))
    axes.set_ylabel("% of peak", fontsize=8)
    axes.tick_params(axis="y", labelsize=7)
    axes.set_title(peers_table.title(key), fontsize=9, loc="left")
    axes.grid(axis="y", color="#dddddd", linewidth=0.6, zorder=0)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def main() -> None:
    with open(sys.argv[1], encoding="utf-8") as file:
        data = json.load(file)
    rows = [row for row in data["rows"] if row["suite"] != "engine64"]
    groups = [(key, list(group)) for key, group in itertools.groupby(rows, peers_table.group_key)]
    if not groups:
        sys.exit("peers_plot: no row can be drawn")
    found = list(dict.fromkeys(row["library"] for row in rows if row["pct_peak"]))
    colours = dict(zip([name for name in found if name != "tilewave"], OTHERS))
    colours = {"tilewave": OWN, **colours}
    figure, panels = plt.subplots(len(groups), 1, figsize=(11, 2.7 * len(groups) + 0.8),
                                  squeeze=False)
    for axes, (key, group) in zip(panels[:, 0], groups):
        draw(axes, key, group, colours)
    handles = [plt.Rectangle((0, 0), 1, 1, color=colour) for colour in colours.values()]
    figure.legend(handles, colours.keys(), loc="upper right", ncols=len(colours), fontsize=8,
                  frameon=False)
    peaks = ", ".join(f"{t} thread{'s' if int(t) > 1 else ''} {float(peak):,.0f} GOP/s"
                      for t, peak in data["peak_gops"].items())
    figure.text(0.01, 0.004, f"{data['machine']}; peak of {data['instruction']}: {peaks}; "
                f"{data['date']}, commit {data['commit']}; measured, medians", fontsize=7)
    figure.tight_layout(rect=(0, 0.02, 1, 1 - 0.35 / (2.7 * len(groups) + 0.8)))
    figure.savefig(sys.argv[2], dpi=110)


if __name__ == "__main__":
    main()
