"""Wall time, processor time and memory of a command with all the processes that it starts."""

import subprocess
import time
from dataclasses import dataclass, field

import psutil

EVERY_SECONDS = 0.5  # what a process uses after the last look before its end is not counted


@dataclass(kw_only=True)
class Usage:
    """What a command took."""

    wall_seconds: float = 0.0
    cpu_seconds: float = 0.0  # user and system, of all processes
    peak_bytes: int = 0  # resident, of all processes together; shared pages count once each
    peaks: dict[str, int] = field(default_factory=dict)  # resident bytes of the largest, by title
    status: int = 0
    _by_process: dict[tuple[int, float], float] = field(default_factory=dict, repr=False)

    def look(self, root: psutil.Process) -> None:
        """Add up what the processes below `root` have used so far."""
        resident = 0
        for process in [root, *root.children(recursive=True)]:
            try:
                times, key = process.cpu_times(), (process.pid, process.create_time())
                own, title = process.memory_info().rss, _title(process.cmdline())
            except psutil.Error:  # it has ended
                continue
            resident += own
            self.peaks[title] = max(self.peaks.get(title, 0), own)
            self._by_process[key] = times.user + times.system
        self.cpu_seconds = sum(self._by_process.values())
        self.peak_bytes = max(self.peak_bytes, resident)


def _title(command: list[str]) -> str:
    """Of a Ray actor its class, of Python the module, else the program."""
    words = " ".join(command[:1]).split() if command[:1] and " " in command[0] else command
    first = words[0] if words else "ended"
    if first.startswith("ray::"):
        return first.partition(".")[0]
    return words[words.index("-m") + 1] if "-m" in words[:-1] else first.rpartition("/")[2]


def measure(command: list[str], *, env: dict[str, str], log: str) -> Usage:
    """Run a command to its end; what it prints goes to the file `log`."""
    usage, started = Usage(), time.monotonic()
    with open(log, "wb") as output:
        process = subprocess.Popen(command, env=env, stdout=output, stderr=subprocess.STDOUT)
        root = psutil.Process(process.pid)
        while process.poll() is None:
            usage.look(root)
            time.sleep(EVERY_SECONDS)
    usage.wall_seconds = time.monotonic() - started
    usage.status = process.returncode
    return usage
