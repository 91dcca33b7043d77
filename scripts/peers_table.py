"""Tables of what scripts/peers has measured."""

import itertools
import json


def grid(head: list[str], lines: list[list[str]]) -> str:
    """First column to the left, the others to the right."""
    widths = [max(len(line[i]) for line in [head] + lines) for i in range(len(head))]
    out = []
    for line in [head, ["-" * width for width in widths]] + lines:
        cells = [line[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(line[1:], widths[1:])]
        out.append("  ".join(cells).rstrip())
    return "\n".join(out)


def number(value: float | None, form: str = ".0f") -> str:
    return "" if value is None else format(value, form)


def group_key(row: dict) -> tuple:
    return row["suite"], row["types"], row["threads"], row["prepacked"]


def title(key: tuple) -> str:
    suite, types, threads, prepacked = key
    form = "weights prepacked" if prepacked else "packed in the call"
    if suite == "layers":
        form = "GELU layer, weights prepacked" if prepacked else "both operands quantised"
    if suite == "cold":
        form += ", read from memory"
    return f"{suite}: {types}, {threads} thread{'s' if threads > 1 else ''}, {form}"


def cell(row: dict | None, suite: str) -> str:
    if row is None:
        return ""
    if row["gops"] is None:
        return "-" if row["status"].startswith("unsupported") else row["status"].split()[0] + "!"
    mark = "~" if row["status"] == "noisy" else ""
    if suite == "engine64":
        return f"{mark}{1e3 * row['us']:.0f}"
    return f"{mark}{row['gops']:.0f}"


def tables(rows: list[dict], ceilings: dict[tuple, float]) -> str:
    """One for each suite, types, threads and form. ceilings: (suite, shape, threads) -> us."""
    out = []
    for key, group in itertools.groupby(rows, group_key):
        group = list(group)
        suite = key[0]
        # A library without any such call has no column.
        names = list(dict.fromkeys(row["library"] for row in group
                                   if not row["status"].startswith("unsupported")))
        lines = []
        for shape in dict.fromkeys(row["shape"] for row in group):
            of = {row["library"]: row for row in group if row["shape"] == shape}
            line = [shape] + [cell(of.get(name), suite) for name in names]
            own = of.get("tilewave")
            peers = [row for row in of.values() if row["library"] != "tilewave" and row["gops"]]
            best = max(peers, key=lambda row: row["gops"], default=None)
            line += [number(own and own["pct_peak"]), number(best and best["pct_peak"]),
                     number(own and own["ratio_to_best_peer"], ".2f"),
                     number(own and own["spread"] and 100 * own["spread"], ".1f")]
            if suite == "cold":
                line += [number(own and own["gb_s"]), number(best and best["gb_s"])]
            if suite == "layers":
                ceiling = ceilings[(suite, shape, key[2])]
                line += [f"{ceiling:.0f}", number(own and own["us"]),
                         number(own and own["us"] and 100 * ceiling / own["us"])]
            lines.append(line)
        head = ["ns per call" if suite == "engine64" else "GOP/s"] + names
        head += ["own %peak", "best peer %", "ratio", "spread %"]
        if suite == "cold":
            head += ["own GB/s", "best peer GB/s"]
        if suite == "layers":
            head += ["ceiling us", "own us", "% of ceiling"]
        out.append(title(key) + "\n" + grid(head, lines))
    return "\n\n".join(out)


def against_reference(rows: list[dict], path: str, machine: str) -> str:
    """Cells beside a published table."""
    with open(path, encoding="utf-8") as file:
        reference = json.load(file)
    lines = []
    passed = 0
    for wanted in reference["rows"]:
        for shape, percent in zip(reference["shapes"], wanted["percent"]):
            of = [row for row in rows if row["suite"] == "gemm" and row["shape"] == shape
                  and all(row[k] == wanted[k] for k in ("types", "threads", "prepacked"))]
            own = next((row for row in of if row["library"] == "tilewave"), None)
            if own is None or own["pct_peak"] is None:
                continue
            best = max((row["pct_peak"] for row in of
                        if row["library"] != "tilewave" and row["pct_peak"]), default=0)
            good = own["pct_peak"] >= 0.97 * max(best, percent)
            passed += good
            form = "prepacked" if wanted["prepacked"] else "in the call"
            lines.append([shape, wanted["types"], str(wanted["threads"]), form,
                          number(own["pct_peak"]), number(best), str(percent),
                          "pass" if good else "fail"])
    if not lines:
        return ""
    text = [f"beside the {reference['source']}, all in % of peak; pass: tilewave has at least 0.97 "
            "of the best peer here and of the reference"]
    if "Zen 4" not in machine:
        text.append(f"this machine is another ({machine}): percentages of its peak are not "
                    "comparable cell by cell with the reference's")
    head = ["shape", "types", "threads", "B", "tilewave", "best peer", "reference", ""]
    return "\n".join(text + [grid(head, lines), f"{passed} of {len(lines)} cells pass"])
