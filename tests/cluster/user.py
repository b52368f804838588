"""What a user does with cluster-local.yaml, from a laptop that has the key and the token."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from tests.cluster.hosts import HOME, ROOT, Network

COMMITTED = ROOT / "cluster-local.yaml"


class User:
    """Somebody at the laptop, in a checkout of the project.

    Args:
        network: its hosts become a cluster, the first one its head.
    """

    def __init__(self, network: Network) -> None:
        self.network, self.laptop, self.checkout = network, network.laptop, ROOT
        self.file = self.laptop.home / "cluster-local.yaml"
        made = self._do("ray get-auth-token --generate > /dev/null; chmod 600 ~/.ray/auth_token")
        assert made.returncode == 0, made.stderr
        self.token = (self.laptop.home / ".ray" / "auth_token").read_text().strip()
        self._fill_in()
        for host in network.hosts:  # an environment that the setup command finds and uses
            (host.home / "venv").symlink_to(sys.prefix)

    def up(self) -> None:
        done = self._do(f"ray up -y {self._name}", timeout=300)
        assert done.returncode == 0, done.stdout + done.stderr

    def exec(self, command: str, **more: Any) -> subprocess.CompletedProcess[str]:
        """`ray exec`: run a command on the head, to its end."""
        return self._do(f"ray exec {self._name} {_quoted(command)}", **more)

    def exec_beside(self, command: str, log: Path, *, forward: int | None = None) -> Any:
        """`ray exec`, not waited for; with a port of the head's on the laptop."""
        flag = f"-p {forward} " if forward else ""
        return self.laptop.start(
            f"cd {ROOT}; exec ray exec {flag}{self._name} {_quoted(command)}", log
        )

    def down(self) -> None:
        done = self._do(f"ray down -y {self._name}", timeout=300)
        assert done.returncode == 0, done.stdout + done.stderr

    def wait_for_nodes(self, number: int, *, seconds: float = 300) -> None:
        """Until `ray status` on the head counts so many active nodes."""
        until = f'until ray status | grep -q "^ {number} local.cluster.node"; do sleep 1; done'
        done = self.exec(until, timeout=seconds)
        assert done.returncode == 0, done.stdout + done.stderr

    @property
    def _name(self) -> str:
        return f"{HOME}/{self.file.name}"

    def _fill_in(self) -> None:
        """The committed file, with hosts, user and key."""
        filled = yaml.safe_load(COMMITTED.read_text())
        head, *workers = (host.ip for host in self.network.hosts)
        filled["provider"] |= {"head_ip": head, "worker_ips": workers}
        filled["auth"] |= {"ssh_user": "root"}  # the key is where the file says
        self.file.write_text(yaml.safe_dump(filled))

    def _do(self, command: str, **more: Any) -> subprocess.CompletedProcess[str]:
        return self.laptop.run(f"cd {ROOT}; {command}", **more)


def _quoted(command: str) -> str:
    return "'" + command.replace("'", "'\\''") + "'"
