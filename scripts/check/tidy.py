#!/usr/bin/python3
"""The text rules: text_rules.py (lines, links), cpp_rules.py (code), dead_rules.py (unused)."""

import sys

sys.dont_write_bytecode = True
import cpp_rules  # noqa: E402
import dead_rules  # noqa: E402
import text_rules  # noqa: E402
from common import argument_parser, cpp_files, project_files, report  # noqa: E402


def main() -> int:
    root = argument_parser(__doc__).parse_args().root.resolve()
    findings = text_rules.check(root) + cpp_rules.check(root) + dead_rules.check(root)
    counts = f"{len(project_files(root))} files, {len(cpp_files(root))} of them C++"
    return report("tidy", findings, counts)


if __name__ == "__main__":
    sys.exit(main())
