"""Prints the JSON of Google Benchmark runs with aggregates as tables, all times measured.

usage: bench_table.py ENGINE_FILE LAUNCH_FILE STREAM_FILE RECOVERY_FILE
"""

import json
import re
import sys


def load(path: str) -> tuple[dict[str, dict[str, dict]], bool]:
    """Aggregates by run name, and whether a run has failed."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    runs = json.loads(text)["benchmarks"] if text else []
    failed = [run for run in runs if run.get("error_occurred")]
    for run in failed:
        print(f"failed: {run['name']}: {run['error_message']}")
    rows: dict[str, dict[str, dict]] = {}
    for run in runs:
        if "aggregate_name" in run:
            rows.setdefault(run["run_name"], {})[run["aggregate_name"]] = run
    return rows, bool(failed)


def spread(row: dict[str, dict]) -> str:
    # Google Benchmark gives the coefficient of variation as a fraction.
    return f"{100 * row['cv']['real_time']:>6.1f}%"


def main() -> None:
    engine, engine_failed = load(sys.argv[1])
    launch, launch_failed = load(sys.argv[2])
    stream, stream_failed = load(sys.argv[3])
    recovery, recovery_failed = load(sys.argv[4])
    print(f"{'shape':<18} {'B':<18} {'median us':>11} {'spread':>7} {'GOP/s':>7}")
    for name, row in sorted(engine.items(), key=lambda item: item[1]["median"]["real_time"]):
        shape = "x".join(re.findall(r"[mkn]:(\d+)", name))
        form = name.split("/")[1].replace("_", " ")
        median = row["median"]
        print(f"{shape:<18} {form:<18} {median['real_time']:>11.1f} "
              f"{spread(row)} {median['op/s'] / 1e9:>7.1f}")
    print("measured; spread is the standard deviation over the mean; one operation is a multiply "
          "or an add")
    print(f"\n{'launches, nothing to do':<24} {'ns per launch':>13} {'spread':>7}")
    for name, row in launch.items():
        mode = name.split("/")[1].replace("_", ", ")
        print(f"{mode:<24} {row['median']['ns/launch']:>13.1f} {spread(row)}")
    print("measured: the runtime's own cost on a device that does nothing at once")
    print(f"\n{'stream of one launch':<24} {'us':>13} {'spread':>7}")
    for name, row in stream.items():
        size, npu = re.findall(r"\d+", name)
        median = row["median"]
        print(f"{f'{size}^3, npu{npu}':<24} {median['real_time'] / 1e3:>13.2f} {spread(row)}  "
              f"{median['label']}")
    print("measured: encoding a new shape into storage that has been used before")
    print(f"\n{'512^3 in one launch':<24} {'host us':>13} {'spread':>7} {'to unprotected':>15}")
    medians = {name.split("/")[1]: row["median"]["real_time"] for name, row in recovery.items()}
    for name, row in recovery.items():
        form = name.split("/")[1]
        ratio = (f"{medians[form] / medians['unprotected']:.3f}" if "unprotected" in medians
                 else "-")
        print(f"{form:<24} {medians[form] / 1e3:>13.1f} {spread(row)} {ratio:>15}")
    print("measured: the host's time of a call over the fake of XRT, where nothing fails; "
          "protected is the default")
    failed = engine_failed or launch_failed or stream_failed or recovery_failed
    sys.exit(1 if failed or not (engine or launch or stream or recovery) else 0)


if __name__ == "__main__":
    main()
