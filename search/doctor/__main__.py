"""`python -m search.doctor [cluster.yaml]`: what would keep a search from running, and the cure.

Looks at every node of the cluster that a search would run on, or at this machine where there is
none: versions, GPUs, room, clocks, ports, tokens, the weights, and whether all nodes write the same
storage. Of a cluster file it says what is wrong or missing. Nothing is launched. Ends with status 1
where there are faults.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from search.settings.settings import PRESETS, preset_settings
from trainables.command import Parser, run_main
from trainables.errors import UserError


def main(arguments: Sequence[str]) -> int:
    """Examine, print, and return the exit status."""
    options = parse(arguments)
    defaults = preset_settings(options.preset)
    chosen = {
        name: getattr(options, name) or defaults[name] for name in ("data", "backbone", "weights")
    }

    from search.doctor.cluster import examine
    from search.doctor.findings import Finding, has_faults, table, to_dict

    findings: list[Finding] = []
    if options.cluster_file:
        from search.doctor.cluster_file import check_file

        findings += check_file(options.cluster_file)
    findings += examine(address=options.address, storage=options.storage, **chosen)
    print(json.dumps(to_dict(findings), indent=2) if options.json else table(findings))
    return int(has_faults(findings))


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """The command line; UserError for a cluster file that is not there."""
    parser = Parser("search.doctor", __doc__)
    add = parser.add_argument
    add("cluster_file", type=Path, nargs="?", help="of `ray up`, such as cluster.yaml")
    add("--address", default="", help="as of search.run: HOST:PORT, auto or local")
    add("--storage", default="runs", help="folder or URI of the runs (default: runs)")
    add(
        "--preset", default="laptop", choices=PRESETS, help="whose backbone and weights to look for"
    )
    add("--data", help="default: the preset's")
    add("--backbone", help="default: the preset's")
    add("--weights", help="default: the preset's")
    add("--json", action="store_true", help="instead of the table")
    options = parser.parse_args(arguments)
    if options.cluster_file and not options.cluster_file.is_file():
        raise UserError(
            f"{options.cluster_file} is no file; allowed: a cluster file, such as cluster.yaml"
        )
    return options


if __name__ == "__main__":
    sys.exit(run_main(main))
