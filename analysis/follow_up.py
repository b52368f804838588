"""From a cause that the report names to the experiment that tests its cures."""

import shlex
from pathlib import Path

# Classes that are alike in themselves want more of the hard pictures; neither arm changes the
# pictures' surroundings, colours or textures. Any other cause has all arms to choose from.
FOR_SEMANTIC_OVERLAP = ("pair_weights", "hard_mining")  # of spaces.interventions.aimed_arms


def follow_up_command(run_folder: Path, pair: tuple[str, str], cause: str) -> str:
    """The command that tests the cures of a confused pair against a baseline and a placebo.

    Args:
        run_folder: of the run whose winner the report explains.
        pair: the two classes.
        cause: as the report's root-cause section words it, such as "semantic overlap".

    Returns:
        One line for a shell.
    """
    command = ["python", "-m", "search.run", "--space", "interventions"]
    command += ["--around", str(run_folder), "--aim", ",".join(pair)]
    if "semantic" in cause.lower():
        command += ["--arms", ",".join(FOR_SEMANTIC_OVERLAP)]
    return shlex.join(command)
