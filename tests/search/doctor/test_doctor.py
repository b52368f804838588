"""The doctor's checks, one by one, and the doctor itself on this machine."""

import json
import socket
import threading
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from search.doctor.__main__ import main
from search.doctor.cluster import Examiner
from search.doctor.cluster_file import check_file
from search.doctor.findings import Finding, has_faults, table, to_dict
from search.doctor.nodes import NodeFacts, check_clocks, check_nodes, listening, source_hash
from search.doctor.storage import StorageProbe, check_storage
from search.records.folder import choose_address
from trainables.errors import UserError

ROOT = Path(__file__).parents[3]
SOUND = NodeFacts(
    versions={"python": "3.11.7", "ray": "2.60.0"},
    source="0123456789ab",
    gpus=(("NVIDIA A10G", 24 * 10**9),),
    disks={"/dev/shm": (10**10, 2 * 10**10), "/tmp": (10**11, 2 * 10**11)},
    listening={8265: ("127.0.0.1",), 22: ("0.0.0.0",)},
    weights="",
)


def bad(findings) -> dict[str, Finding]:
    return {finding.check: finding for finding in findings if finding.level != "ok"}


def test_sound_nodes_have_no_faults():
    found = list(check_nodes({"head": SOUND, "worker": SOUND}))
    assert bad(found) == {}
    assert "NVIDIA A10G (24 GB)" in [finding.found for finding in found]


@pytest.mark.parametrize(
    ("change", "check", "level", "told"),
    [
        ({"versions": {"python": "3.11.7", "ray": "2.59.0"}}, "versions", "fault",
         "ray 2.59.0, head has 2.60.0"),
        ({"source": "ba9876543210"}, "project", "fault", "head has 0123456789ab"),
        ({"disks": {"/tmp": (10**8, 10**9)}}, "room", "fault", "/tmp: 100 MB free"),
        ({"disks": {"/dev/shm": (10**9, 10**9)}}, "room", "warning", "/dev/shm: 1 GB free"),
        ({"listening": {8265: ("0.0.0.0",)}}, "port 8265", "fault", "Ray's dashboard on 0.0.0.0"),
        ({"listening": {6006: ("::1", "10.0.0.2")}}, "port 6006", "fault", "TensorBoard on 10.0"),
        ({"weights": "no file"}, "weights", "fault", "no file"),
    ],
)  # fmt: skip
def test_each_fault_is_found_on_the_node_that_has_it(change, check, level, told):
    found = bad(check_nodes({"head": SOUND, "worker": replace(SOUND, **change)}))
    assert list(found) == [check]
    assert (found[check].node, found[check].level) == ("worker", level)
    assert told in found[check].found
    assert found[check].cure


def test_a_clock_is_wrong_when_it_is_further_off_than_the_question_took():
    offsets = {
        "good": (0.4, 0.1),
        "slow answer": (3.0, 2.5),
        "off": (-3.0, 0.1),
        "far": (90.0, 1.0),
    }
    assert [finding.level for finding in check_clocks(offsets)] == ["ok", "ok", "warning", "fault"]


def test_what_listens_is_seen_with_its_address():
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert listening()[server.getsockname()[1]] == ("127.0.0.1",)


def test_the_hash_of_the_source_is_the_same_twice():
    assert source_hash() == source_hash()
    assert len(source_hash()) == 12


def test_nodes_that_share_a_folder_read_each_others_tokens(tmp_path):
    tokens = {"a": "token-0", "b": "token-1"}
    probes = {node: StorageProbe(str(tmp_path), ".doctor") for node in tokens}
    for node, token in tokens.items():
        probes[node].write(token)
    seen = {node: probe.read(frozenset(tokens.values())) for node, probe in probes.items()}
    assert bad(check_storage("runs", seen, tokens)) == {}
    for probe in probes.values():
        probe.clear()
    assert list(tmp_path.iterdir()) == []


def test_folders_of_the_same_name_on_two_nodes_are_told_apart():
    tokens = {"a": "token-0", "b": "token-1"}
    seen = {node: frozenset({token}) for node, token in tokens.items()}
    found = list(check_storage("/runs", seen, tokens))
    assert [finding.level for finding in found] == ["fault", "fault"]
    assert found[0].found == "/runs is not the folder that b wrote to"


def test_a_token_that_comes_late_is_waited_for(tmp_path):
    probe = StorageProbe(str(tmp_path), ".doctor")
    threading.Timer(0.3, probe.write, ["late"]).start()
    assert probe.read(frozenset({"late"})) == {"late"}


@pytest.mark.parametrize("storage", ["gs://bucket/runs", "file:///tmp/runs", "s3://Bucket"])
def test_a_store_that_a_search_refuses_is_refused(storage):
    with pytest.raises(UserError, match="allowed: a folder, or s3://BUCKET/PREFIX"):
        choose_address(storage, "run", "run", resume=False)
    refused = Examiner(storage, ".doctor").write("token")
    assert refused == f"storage is {storage!r}; allowed: a folder, or s3://BUCKET/PREFIX"


def test_a_storage_that_cannot_be_written_is_a_fault():
    (found,) = check_storage("/proc/runs", {"a": "Permission denied"}, {})
    assert (found.level, found.found) == ("fault", "/proc/runs: Permission denied")


def cluster_file(tmp_path: Path, **changes) -> Path:
    config = yaml.safe_load((ROOT / "cluster.yaml").read_text())
    for name, node_type in config["available_node_types"].items():
        node_type["node_config"]["ImageId"] = f"ami-{name}"
    for key in ("head_start_ray_commands", "worker_start_ray_commands"):
        config[key] = [
            c.replace("RAY_AUTH_MODE=disabled", "RAY_AUTH_MODE=token") for c in config[key]
        ]
    for key, value in changes.items():
        config.pop(key) if value is None else config.update({key: value})
    path = tmp_path / "cluster.yaml"
    path.write_text(yaml.safe_dump(config))
    return path


def faults(path: Path) -> list[str]:
    return [finding.found for finding in check_file(path) if finding.level == "fault"]


def test_our_own_cluster_file_is_sound_once_the_image_is_filled_in(tmp_path):
    assert faults(cluster_file(tmp_path)) == []


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"max_wrkers": 4}, "Ray refuses it: Additional properties"),
        ({"max_workers": None}, "max_workers is missing"),
        ({"idle_timeout_minutes": None}, "idle_timeout_minutes is missing"),
        ({"worker_start_ray_commands": ["ray start --address=$RAY_HEAD_IP:6379"]},
         "worker_start_ray_commands starts Ray without RAY_AUTH_MODE=token"),
        ({"head_start_ray_commands": [
            "RAY_AUTH_MODE=token ray start --head --dashboard-host=0.0.0.0"]},
         "--dashboard-host is 0.0.0.0"),
        ({"provider": {"type": "aws", "region": "us-west-2", "security_group": {
            "GroupName": "g", "IpPermissions": [{"FromPort": 6379, "ToPort": 6379,
            "IpProtocol": "tcp", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]}}},
         "ports 6379 to 6379 are open to 0.0.0.0/0"),
    ],
)  # fmt: skip
def test_what_a_cluster_file_lacks_is_a_fault(tmp_path, changes, told):
    (fault,) = faults(cluster_file(tmp_path, **changes))
    assert fault.startswith(told)


def test_an_image_that_was_not_filled_in_is_a_fault(tmp_path):
    path = cluster_file(tmp_path)
    path.write_text(path.read_text().replace("ami-head", "ami-REPLACE-ME"))
    assert faults(path) == ["ImageId of head is ami-REPLACE-ME"]


@pytest.mark.parametrize("text", ["- a list", "a: [", "text"])
def test_what_is_no_cluster_file_is_refused_in_a_line(tmp_path, text):
    path = tmp_path / "cluster.yaml"
    path.write_text(text)
    with pytest.raises(UserError, match="allowed: a cluster file for ray up"):
        list(check_file(path))


def test_the_table_has_a_row_a_finding_and_below_it_what_to_do():
    findings = [
        Finding(check="GPUs", node="head", found="none"),
        Finding(check="room", node="worker", found="/tmp: full", level="fault", cure="free some"),
    ]
    lines = table(findings).splitlines()
    assert lines[1].split() == ["GPUs", "head", "ok", "none"]
    assert lines[3].strip() == "do: free some"
    assert lines[-1] == "1 ok, 0 warnings, 1 faults"
    assert has_faults(findings)
    assert to_dict(findings)["findings"][1]["cure"] == "free some"


def test_a_fault_says_what_to_do_about_it():
    with pytest.raises(UserError):
        Finding(check="room", found="full", level="fault")


def test_the_doctor_examines_this_machine_and_launches_nothing(tmp_path, capsys):
    status = main(["--preset", "demo", "--address", "local", "--storage", str(tmp_path), "--json"])
    told = json.loads(capsys.readouterr().out)
    checks = {finding["check"]: finding["level"] for finding in told["findings"]}
    assert status == told["faults"]
    assert {"versions", "project", "GPUs", "room", "data", "weights", "storage"} <= checks.keys()
    assert checks["storage"] == checks["weights"] == "ok"
    assert list(tmp_path.iterdir()) == []


def test_a_fault_is_status_1_and_a_mistake_is_refused(tmp_path, capsys):
    with pytest.raises(UserError, match=r"none\.yaml is no file; allowed: a cluster file"):
        main([str(tmp_path / "none.yaml")])
    with pytest.raises(UserError, match=r"--address is '127\.0\.0\.1:1', where no cluster answers"):
        main(["--preset", "demo", "--address", "127.0.0.1:1"])
    assert main(["--preset", "demo", "--address", "local", "--storage", "/proc/runs"]) == 1
    assert "/proc/runs" in capsys.readouterr().out
