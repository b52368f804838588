"""What somebody who reaches a cluster's head by network gets from its ports, as a JSON object.

RAY_AUTH_MODE=token RAY_AUTH_TOKEN=... python -m tests.cluster.knock 10.0.0.1
"""

import json
import os
import sys
import urllib.error
import urllib.request

DASHBOARD, AGENT, TENSORBOARD, GCS = 8265, 52365, 6006, 6379
JOB = json.dumps({"entrypoint": "true"}).encode()


def main(ip: str) -> None:
    answers = {
        "gcs": gcs(ip),
        "dashboard": http(ip, DASHBOARD, "/api/version"),
        "job server": http(ip, DASHBOARD, "/api/jobs/", JOB),
        "job agent": http(ip, AGENT, "/api/job_agent/jobs/", JOB),
        "tensorboard": http(ip, TENSORBOARD, "/data/runs"),
    }
    print(json.dumps(answers))


def http(ip: str, port: int, path: str, body: bytes | None = None) -> str:
    """The status of a GET, or of a POST with a body, or why there is none."""
    token = os.environ.get("RAY_AUTH_TOKEN")
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    request = urllib.request.Request(f"http://{ip}:{port}{path}", data=body, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return str(answer.status)
    except urllib.error.HTTPError as error:
        return f"{error.code} {error.read().decode()}"
    except OSError as error:
        return str(error)


def gcs(ip: str) -> str:
    """How many nodes Ray's global control store names, or its error."""
    from ray._raylet import GcsClient

    try:
        return f"{len(GcsClient(address=f'{ip}:{GCS}').get_all_node_info(timeout=10))} nodes"
    except Exception as error:
        return f"{type(error).__name__}: {error}"


if __name__ == "__main__":
    main(*sys.argv[1:])
