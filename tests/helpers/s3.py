"""S3 on loopback: a moto server, its requests counted."""

import logging
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

BUCKET = "runs"
REQUEST = re.compile(r'"\S*?(GET|PUT|POST|HEAD|DELETE) (\S+) HTTP')


@dataclass(kw_only=True)
class LoopbackS3:
    """Where it is, as the environment of a process says it, and what it was asked."""

    environment: dict[str, str]
    requests: Counter[str] = field(default_factory=Counter)  # by kind, such as PUT or LIST


class CountRequests(logging.Handler):
    """Counts what the server's access log tells."""

    def __init__(self, requests: Counter[str]) -> None:
        super().__init__()
        self._requests = requests

    def emit(self, record: logging.LogRecord) -> None:
        found = REQUEST.search(record.getMessage())
        if found:
            kind = "LIST" if "list-type=2" in found[2] else found[1]
            self._requests["DELETE" if kind == "POST" and "delete" in found[2] else kind] += 1


@contextmanager
def s3_on_loopback(*, port: int = 0) -> Iterator[LoopbackS3]:
    """A server with one empty bucket, `runs`."""
    import boto3
    from moto.server import ThreadedMotoServer

    log = logging.getLogger("werkzeug")
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=port, verbose=False)
    server.start()
    address, port = server.get_host_and_port()
    made = LoopbackS3(
        environment={
            "AWS_ENDPOINT_URL": f"http://{address}:{port}",
            "AWS_ACCESS_KEY_ID": "loopback",  # moto takes any
            "AWS_SECRET_ACCESS_KEY": "loopback",
            "AWS_DEFAULT_REGION": "us-east-1",
        }
    )
    keys = {"aws_access_key_id": "loopback", "aws_secret_access_key": "loopback"}
    client = boto3.client(
        "s3", endpoint_url=made.environment["AWS_ENDPOINT_URL"], region_name="us-east-1", **keys
    )
    client.create_bucket(Bucket=BUCKET)
    count = CountRequests(made.requests)
    log.setLevel(logging.INFO)
    log.addHandler(count)
    try:
        yield made
    finally:
        log.removeHandler(count)
        server.stop()
