"""`python -m search.serve EXPORT`: an exported model over HTTP, by Ray Serve."""

import argparse
import os
import socket
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from trainables.command import Parser, run_main
from trainables.errors import missing_extra, refuse

LOOPBACK = "127.0.0.1"


def main(arguments: Sequence[str]) -> None:
    """Check everything, then serve until Ctrl-C."""
    parser = Parser("search.serve", __doc__)
    parser.add_argument("export", type=Path, help="folder that `python -m search.export` made")
    parser.add_argument("--host", default=LOOPBACK, help="address to listen on (this machine only)")
    parser.add_argument("--port", type=int, default=8000, help="port to listen on (8000)")
    parser.add_argument("--replicas", type=int, default=1, help="copies of the model, a core each")
    parser.add_argument("--gpus-per-replica", type=float, default=0.0, help="0: CPU; 0.25: a share")
    options = parser.parse_args(arguments)
    refuse(missing_extra("serve", wanted_by="search.serve"))
    refuse(_faults(options))

    from search.serve.server import serve_until_told  # torch and Ray, after the checks

    if options.host not in (LOOPBACK, "localhost", "::1"):
        print(f"note         {options.host} is reachable by others: no password, no encryption")
    serve_until_told(
        options.export,
        host=options.host,
        port=options.port,
        replicas=options.replicas,
        gpus_per_replica=options.gpus_per_replica,
    )


def _faults(options: argparse.Namespace) -> Iterator[str]:
    cores, gpus = os.cpu_count() or 1, options.gpus_per_replica
    if not (options.export / "config.json").is_file():
        yield (
            f"{options.export} is no exported model; allowed: a folder that "
            "`python -m search.export` made, such as runs/demo/export"
        )
    if not 1 <= options.replicas <= cores:
        yield f"--replicas is {options.replicas}; allowed: 1 to {cores}, this machine's cores"
    if not (0 <= gpus < 1 or (gpus > 0 and gpus.is_integer())):
        yield f"--gpus-per-replica is {gpus:g}; allowed: 0, a share below 1, or a whole number"
    if not 1 <= options.port <= 65535:
        yield f"--port is {options.port}; allowed: 1 to 65535"
    elif fault := _bind_fault(options.host, options.port):
        yield (
            f"--host {options.host} --port {options.port} cannot be listened on ({fault}); "
            "allowed: an address of this machine and a free port; choose another with --port"
        )


def _bind_fault(host: str, port: int) -> str:
    """Why nothing can listen there; empty when something can."""
    try:
        with socket.create_server((host, port), family=_family(host)):
            return ""
    except OSError as error:
        return error.strerror or str(error)


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


if __name__ == "__main__":
    sys.exit(run_main(main))
