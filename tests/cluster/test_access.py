"""Without the token or the ssh key nobody on the network can use the cluster; with them one can."""

import json

import pytest

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(900)]
REFUSED = "Connection refused"


@pytest.fixture(scope="module")
def knock(user, tensorboard):
    """What a stranger on the network gets from the head's ports, given environment variables."""
    head = user.network.hosts[0]

    def ask(**environment: str) -> dict[str, str]:
        told = " ".join(f"{name}={value}" for name, value in environment.items())
        here = f"cd {user.checkout}; {told} python -m tests.cluster.knock {head.ip}"
        done = user.network.stranger.run(here)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return ask


@pytest.mark.parametrize(
    ("environment", "agent"),
    [
        ({}, "401 Unauthorized: Missing authentication token"),
        (
            {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "0" * 64},
            "403 Forbidden: Invalid authentication token",
        ),
    ],
    ids=["no token", "a wrong token"],
)
def test_a_stranger_can_use_nothing(knock, environment, agent):
    answers = knock(**environment)
    assert answers.pop("gcs").startswith("AuthenticationError: RPC error: InvalidAuthToken")
    assert answers.pop("job agent") == agent
    for port in ("dashboard", "job server", "tensorboard"):  # on loopback
        assert REFUSED in answers.pop(port)
    assert not answers


def test_with_the_token_ray_answers_and_what_is_on_loopback_does_not(user, knock):
    answers = knock(RAY_AUTH_MODE="token", RAY_AUTH_TOKEN=user.token)
    assert answers["gcs"] == "3 nodes"
    assert answers["job agent"] == "200"
    assert all(REFUSED in answers[port] for port in ("dashboard", "job server", "tensorboard"))


def test_dashboard_and_tensorboard_listen_on_loopback_alone(user, tensorboard):
    listening = user.network.hosts[0].run("ss --listening --tcp --numeric --no-header").stdout
    addresses = [line.split()[3] for line in listening.splitlines()]
    for port in ("8265", "6006"):
        assert [a.rpartition(":")[0] for a in addresses if a.endswith(f":{port}")] == ["127.0.0.1"]


def test_ssh_wants_the_key(user):
    options = "-o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null"
    done = user.network.stranger.run(f"ssh {options} root@{user.network.hosts[0].ip} true")
    assert done.returncode == 255
    assert "Permission denied" in done.stderr
