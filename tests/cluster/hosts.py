"""Hosts on one machine: network namespaces on a bridge of their own, each with Debian's sshd.

A host has its own network, processes, host name, home and /tmp; the file system else is the
machine's. Nothing of it is in the machine's own network, and no process of it outlives it. It needs
root, Linux, iproute2, util-linux, openssh-server and rsync.
"""

import contextlib
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

NEEDS = ("ip", "tc", "nsenter", "unshare", "ssh", "ssh-keygen", "/usr/sbin/sshd", "rsync")
NETWORK = "10.99.77"  # the first three numbers of each host's address
HOME, SHARED = "/mnt/home", "/mnt/shared"  # inside a host; SHARED is the same disk on all of them
ROOT = Path(__file__).parents[2]
PATH = f"{Path(sys.executable).parent}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
APART = ("unshare", "--mount", "--pid", "--uts", "--ipc", "--fork", "--kill-child")
PROBE = """
mount -t tmpfs tmpfs /mnt
ip link add port type veth peer name eth
ip link add switch type bridge
tc qdisc add dev port root tbf rate 1mbit burst 16kbit latency 1s
"""
# Runs inside the new namespaces. A folder of the machine becomes the host's home and /tmp.
BOOT = """
set -e
mount --make-rprivate /
mount -t proc proc /proc
mount -t tmpfs tmpfs /mnt
mkdir /mnt/home /mnt/shared /mnt/host
mount --bind {folder} /mnt/host
mount --bind {folder}/home /mnt/home
mount --bind {shared} /mnt/shared
mount --bind /mnt/host/passwd /etc/passwd
mount --bind /mnt/host/hosts /etc/hosts
mount --bind /mnt/host/resolv.conf /etc/resolv.conf
mount --bind /mnt/host/tmp /tmp
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /dev/shm
mkdir /run/sshd
hostname {name}
exec {main}
"""
SSHD = """HostKey /mnt/host/host_key
PermitRootLogin prohibit-password
PasswordAuthentication no
UsePAM no
PidFile none
"""


def missing() -> str | None:
    """What this machine lacks to make hosts; None where it lacks nothing."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "hosts are made of network namespaces, which needs Linux and root"
    absent = [program for program in NEEDS if shutil.which(program) is None]
    if absent:
        return f"not installed: {', '.join(absent)}"
    probe = subprocess.run([*APART, "--net", "sh", "-ec", PROBE], capture_output=True, text=True)
    if probe.returncode:
        return f"this kernel, or this container, makes no hosts: {probe.stderr.strip()}"
    if ROOT.is_relative_to("/tmp"):
        return f"the checkout is in {ROOT}, and each host has a /tmp of its own"
    return None


class Host:
    """One host, which is down until `boot`.

    Args:
        name: its host name.
        number: the last number of its address.
        switch: network namespace with the bridge `br0`.
        folder: for its home, its /tmp and its configuration.
        shared: what every host sees as SHARED.
        main: the process whose end is the host's end.
    """

    def __init__(
        self, name: str, number: int, *, switch: str, folder: Path, shared: Path, main: str
    ) -> None:
        self.name, self.ip = name, f"{NETWORK}.{number}"
        self.home, self.tmp = folder / "home", folder / "tmp"
        self._switch, self._port = switch, f"port{number}"
        self._namespace = f"{switch}-{name}"
        self._boot = BOOT.format(folder=folder, shared=shared, name=name, main=main)
        self._main = Path(main.split()[0]).name
        self._unshare: subprocess.Popen[bytes] | None = None
        self._log = folder / "sshd.log"
        for path in (self.home, self.tmp):
            path.mkdir(parents=True)
        self.tmp.chmod(0o1777)
        self._configure(folder)
        self._plug_in()

    def boot(self) -> None:
        """Start it, anew after `kill`; /tmp is empty then."""
        self.mend()
        for path in self.tmp.iterdir():
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
        enter = ["nsenter", f"--net=/run/netns/{self._namespace}"]
        with self._log.open("ab") as log:
            self._unshare = subprocess.Popen(
                [*enter, *APART, "bash", "-c", self._boot], stdout=log, stderr=log
            )
        wait_for(self._is_up, seconds=60, what=f"{self.name} to boot")

    def run(self, command: str, **more: Any) -> subprocess.CompletedProcess[str]:
        """Run a shell command on the console of the host, to its end."""
        more = {"capture_output": True, "text": True, "timeout": 180, **more}
        return subprocess.run(self._inside(command), **more)

    def start(self, command: str, log: Path) -> subprocess.Popen[bytes]:
        """Start a shell command on the console of the host; what it prints is added to `log`."""
        with log.open("ab") as told:
            return subprocess.Popen(
                self._inside(command), stdin=subprocess.DEVNULL, stdout=told, stderr=told
            )

    def processes(self, words: str) -> list[str]:
        """Command lines of the processes that hold `words`."""
        lines = self.run("ps -eo args --no-headers").stdout.splitlines()
        return [line for line in lines if words in line]

    def signal(self, name: str, pattern: str) -> None:
        """Send a signal to the processes of this host whose command line begins with a pattern."""
        for line in self.run("ps -eo pid,args --no-headers").stdout.splitlines():
            pid, args = line.split(maxsplit=1)
            if re.match(pattern, args):
                self.run(f"kill -{name} {pid}")

    def cut(self) -> None:
        """Take its cable out of the switch."""
        _ip("-n", self._switch, "link", "set", self._port, "down")

    def mend(self) -> None:
        """Undo `cut` and `slow`."""
        _ip("-n", self._switch, "link", "set", self._port, "up")
        subprocess.run(self._tc("del"), capture_output=True)

    def slow(self, rate: str = "512kbit") -> None:
        """Let no more than `rate` through to it; what waits longer than a second is dropped."""
        limits = ["tbf", "rate", rate, "burst", "16kbit", "latency", "1s"]
        subprocess.run([*self._tc("add"), *limits], check=True)

    def kill(self) -> None:
        """Pull its plug: all its processes are gone, and no connection is closed by anybody."""
        self.cut()
        if self._unshare:
            self._unshare.kill()
            self._unshare.wait(10)
            self._unshare = None

    def remove(self) -> None:
        self.kill()
        _ip("netns", "del", self._namespace)

    def _configure(self, folder: Path) -> None:
        lines = Path("/etc/passwd").read_text().splitlines()
        users = [line for line in lines if not line.startswith("root:")]
        root = f"root:x:0:0:root:{HOME}:/bin/bash"
        (folder / "passwd").write_text("\n".join([root, *users]) + "\n")
        (folder / "hosts").write_text(f"127.0.0.1 localhost\n{self.ip} {self.name}\n")
        (folder / "resolv.conf").write_text("")
        (folder / "sshd_config").write_text(SSHD)
        (self.home / ".bashrc").write_text("")
        make_key(folder / "host_key")
        self.home.chmod(0o700)

    def _plug_in(self) -> None:
        _ip("netns", "add", self._namespace)
        inside = ("-n", self._namespace)
        peer = ("peer", "name", self._port, "netns", self._switch)
        _ip(*inside, "link", "add", "eth0", "type", "veth", *peer)
        _ip("-n", self._switch, "link", "set", self._port, "master", "br0", "up")
        _ip(*inside, "addr", "add", f"{self.ip}/24", "dev", "eth0")
        _ip(*inside, "link", "set", "eth0", "up")
        _ip(*inside, "link", "set", "lo", "up")
        _ip(*inside, "route", "add", "default", "dev", "eth0")  # Ray asks it for its own address

    def _inside(self, command: str) -> list[str]:
        assert self._unshare is not None
        spaces = ("--net", "--mount", "--pid", "--uts", "--ipc")
        env = [f"HOME={HOME}", "USER=root", "LANG=C.UTF-8", "TERM=dumb", f"PATH={PATH}"]
        enter = ["nsenter", "--target", str(_child(self._unshare.pid)), *spaces]
        return [*enter, "env", "-i", *env, "bash", "-c", f"cd; {command}"]

    def _is_up(self) -> bool:
        """Whether the boot script has come to its end, where the main process takes its place."""
        assert self._unshare is not None
        assert self._unshare.poll() is None, self._log.read_text()
        with contextlib.suppress(OSError, IndexError):
            return Path(f"/proc/{_child(self._unshare.pid)}/comm").read_text().strip() == self._main
        return False

    def _tc(self, verb: str) -> list[str]:
        return ["tc", "-n", self._switch, "qdisc", verb, "dev", self._port, "root"]


class Network:
    """A bridge, hosts with sshd, a `laptop` that has their key, and a `stranger` that has nothing.

    Args:
        names: of the hosts.
        folder: for all that they write.
    """

    def __init__(self, names: tuple[str, ...], folder: Path) -> None:
        self.shared = folder / "shared"
        self.shared.mkdir(parents=True)
        self._switch = f"tps{os.getpid()}"
        _ip("netns", "add", self._switch)
        _ip("-n", self._switch, "link", "add", "br0", "type", "bridge")
        _ip("-n", self._switch, "link", "set", "br0", "up")
        sshd = "/usr/sbin/sshd -D -e -f /mnt/host/sshd_config"
        where: dict[str, Any] = {"switch": self._switch, "shared": self.shared}
        self.hosts = [
            Host(name, number, folder=folder / name, main=sshd, **where)
            for number, name in enumerate(names, start=1)
        ]
        self.laptop, self.stranger = (
            Host(name, number, folder=folder / name, main="sleep infinity", **where)
            for number, name in ((101, "laptop"), (102, "stranger"))
        )
        self._hand_out_keys()
        try:
            for host in self.all:
                host.boot()
        except BaseException:
            self.close()
            raise

    @property
    def all(self) -> list[Host]:
        return [*self.hosts, self.laptop, self.stranger]

    def close(self) -> None:
        for host in self.all:
            host.remove()
        _ip("netns", "del", self._switch)

    def _hand_out_keys(self) -> None:
        key = self.laptop.home / ".ssh" / "id_ed25519"
        for host in (*self.hosts, self.laptop):
            (host.home / ".ssh").mkdir(mode=0o700)
        make_key(key)
        for host in self.hosts:
            shutil.copy(key.with_suffix(".pub"), host.home / ".ssh" / "authorized_keys")


def make_key(path: Path) -> None:
    """A throw-away pair of ssh keys."""
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)


def wait_for(condition: Callable[[], Any], *, seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds:g} s for {what}"
        time.sleep(0.2)


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)


def _child(pid: int) -> int:
    """The first process that a process has started."""
    return int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])
