"""`python -m search.replay RUN`: ask the recorded search again and compare its decisions.

Nothing is trained: the journal's reports stand for the trials. The sampler is asked again at each
point where it was asked, and ASHA judges each report again, both from an empty memory. The same
configurations and the same stops show that the record is whole and what led to the winner.
"""

import sys
from collections.abc import Sequence

from search.records.folder import RunFolder
from trainables.command import Parser, run_main


def main(arguments: Sequence[str]) -> int:
    """Print what was compared; 1 when a decision differs."""
    parser = Parser("search.replay", __doc__)
    parser.add_argument("run", help="run folder, such as runs/demo, or its URI")
    folder = RunFolder.at(parser.parse_args(arguments).run)
    experiment = folder.read_experiment()

    from search.records.environment import differing_versions
    from search.tuning.replay import replay_search

    result = replay_search(folder)
    for name, count in result.compared.items():
        print(f"{name:<12} {count} compared")
    for difference in result.differences:
        print(f"differs      {difference}")
    if result.differences:
        for line in differing_versions(experiment["versions"]):
            print(f"note         {line}")
        return 1
    print("the same     every decision of the recorded search was made again")
    return 0


if __name__ == "__main__":
    sys.exit(run_main(main))
