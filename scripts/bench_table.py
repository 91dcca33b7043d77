"""Prints the JSON of a Google Benchmark run with aggregates as one table, all times measured.

usage: bench_table.py FILE
"""

import json
import re
import sys


def main() -> None:
    with open(sys.argv[1], encoding="utf-8") as file:
        runs = json.load(file)["benchmarks"]
    failed = [run for run in runs if run.get("error_occurred")]
    for run in failed:
        print(f"failed: {run['name']}: {run['error_message']}")
    rows: dict[str, dict[str, dict]] = {}
    for run in runs:
        if "aggregate_name" in run:
            rows.setdefault(run["run_name"], {})[run["aggregate_name"]] = run
    print(f"{'shape':<18} {'B':<18} {'median us':>11} {'spread':>7} {'GOP/s':>7}")
    for name, row in sorted(rows.items(), key=lambda item: item[1]["median"]["real_time"]):
        shape = "x".join(re.findall(r"[mkn]:(\d+)", name))
        form = name.split("/")[1].replace("_", " ")
        median = row["median"]
        # Google Benchmark gives the coefficient of variation as a fraction.
        print(f"{shape:<18} {form:<18} {median['real_time']:>11.1f} "
              f"{100 * row['cv']['real_time']:>6.1f}% {median['op/s'] / 1e9:>7.1f}")
    print("measured; spread is the standard deviation over the mean; one operation is a multiply "
          "or an add")
    sys.exit(1 if failed or not rows else 0)


if __name__ == "__main__":
    main()
