"""A search that a user starts on the head with `ray exec`."""

from pathlib import Path

from search.records.folder import RunFolder
from tests.cluster.hosts import wait_for
from tests.cluster.readme import command
from tests.cluster.user import User
from tests.faults.process import SearchProcess

NUM_TRIALS = 5
SETTINGS = (
    # A trial takes a whole host. Epochs of about a second: long enough to die in.
    f"--preset demo --cpus-per-trial 2 --num-trials {NUM_TRIALS} --reuse off "
    "--train-size 320 --val-size 80 --batch-size 32 --head-epochs 2 --finetune-epochs 3 "
    "--space tests.helpers.spaces:weak_second --reduction-factor 1.5 --grace-epochs 2"
)


class ClusterSearch(SearchProcess):
    """`ray exec ... python -m search.run`, and the run folder that all hosts share.

    Args:
        user: whose cluster it runs on.
        folder: for what it prints.
        name: of the run.
    """

    def __init__(self, user: User, folder: Path, *, name: str = "hosts") -> None:
        self.user = user
        super().__init__(RunFolder(user.network.shared / "runs" / name), folder / f"{name}.txt")

    def num_reports(self) -> int:
        """Epochs on record."""
        return len(self.record.reports) if self.folder.journal.exists() else 0

    def start(self) -> None:
        """Start it, or go on with it where its folder is there."""
        flags = "--resume" if self.folder.experiment.exists() else SETTINGS
        words, quote = command("ray exec cluster-local.yaml 'cd"), "--name hosts'"
        assert words.endswith(quote)
        name = f"--name {self.folder.root.name}"
        self._process = self.user.beside(words.replace(quote, f"{name} {flags}'"), self._log)

    def wait_for_reports(self, more: int, *, seconds: float = 300) -> None:
        """Until so many more epochs are on record; it must run on until then."""
        goal = self.num_reports() + more

        def are_there() -> bool:
            reached = self.num_reports() >= goal
            assert reached or self.runs, self.told
            return reached

        wait_for(are_there, seconds=seconds, what=f"{more} more epochs")

    def kill(self) -> None:
        """SIGKILL the search on the head; with it ends the connection."""
        self.user.network.hosts[0].signal("KILL", r"\S*python -m search\.run")
        if self._process is not None:
            self._process.wait(60)
