"""What a user does with cluster-local.yaml, from a laptop that has the key and the token."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from tests.cluster.hosts import HOME, ROOT, Network
from tests.cluster.readme import command

COMMITTED = ROOT / "cluster-local.yaml"


class User:
    """Somebody at the laptop, in a checkout of the project.

    Args:
        network: its hosts become a cluster, the first one its head.
    """

    def __init__(self, network: Network) -> None:
        self.network, self.laptop, self.checkout = network, network.laptop, ROOT
        self.file = self.laptop.home / "cluster-local.yaml"
        made = self._do(f"{command('ray get-auth-token')}; {command('chmod')}")
        assert made.returncode == 0, made.stderr
        self.token = (self.laptop.home / ".ray" / "auth_token").read_text().strip()
        self._fill_in()
        for host in network.hosts:  # an environment that the setup command finds and uses
            (host.home / "venv").symlink_to(sys.prefix)

    def up(self) -> None:
        done = self._do(command("ray up"), timeout=300)
        assert done.returncode == 0, done.stdout + done.stderr

    def exec(self, words: str, **more: Any) -> subprocess.CompletedProcess[str]:
        """`ray exec`: run a command without single quotes on the head, to its end."""
        return self._do(f"ray exec cluster-local.yaml '{words}'", **more)

    def beside(self, words: str, log: Path) -> subprocess.Popen[bytes]:
        """A command on the laptop, not waited for."""
        return self.laptop.start(f"cd {ROOT}; exec {self._with_file(words)}", log)

    def down(self) -> None:
        done = self._do(command("ray down"), timeout=300)
        assert done.returncode == 0, done.stdout + done.stderr

    def wait_for_nodes(self, number: int, *, seconds: float = 300) -> None:
        """Until `ray status` on the head counts so many active nodes."""
        until = f'until ray status | grep -q "^ {number} local.cluster.node"; do sleep 1; done'
        done = self.exec(until, timeout=seconds)
        assert done.returncode == 0, done.stdout + done.stderr

    def _fill_in(self) -> None:
        """The committed file, with hosts, user and key."""
        filled = yaml.safe_load(COMMITTED.read_text())
        head, *workers = (host.ip for host in self.network.hosts)
        filled["provider"] |= {"head_ip": head, "worker_ips": workers}
        filled["auth"] |= {"ssh_user": "root"}  # the key is where the file says
        self.file.write_text(yaml.safe_dump(filled))

    def _do(self, words: str, **more: Any) -> subprocess.CompletedProcess[str]:
        return self.laptop.run(f"cd {ROOT}; {self._with_file(words)}", **more)

    def _with_file(self, words: str) -> str:
        """A command of the README's, about the file that has been filled in."""
        return words.replace("cluster-local.yaml", f"{HOME}/{self.file.name}")
