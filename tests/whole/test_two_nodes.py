"""One trial on two nodes: its numbers are those of one worker with the same batches."""

import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import torch

from search.records.folder import RunFolder
from search.records.record import RunRecord
from search.settings.settings import Settings
from search.tuning.preparation import continue_with
from tests.faults.local_cluster import LocalCluster, wait_for
from trainables.config import FineTuneConfig
from trainables.training.parallel import SOLO
from trainables.two_phase import Trial

ROOT = Path(__file__).parents[2]
FLAGS = [
    *("--preset", "demo", "--space", "tests.helpers.spaces:no_statistics", "--num-trials", "1"),
    *("--train-size", "160", "--val-size", "80", "--batch-size", "32", "--precision", "float32"),
    *("--head-epochs", "1", "--finetune-epochs", "3", "--workers-per-trial", "2"),
]
FIGURES = ["train_loss", "val_loss"]


@pytest.mark.ray
@pytest.mark.slow
@pytest.mark.timeout(450)
def test_workers_on_two_nodes_agree_with_one(tmp_path):
    cluster = LocalCluster(nodes=2)  # of one core each, so that two workers lie on both
    try:
        command = [sys.executable, "-m", "search.run", "--storage", str(tmp_path), "--name", "two"]
        with subprocess.Popen(
            [*command, *FLAGS], cwd=ROOT, env=os.environ | cluster.environment,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        ) as process:  # fmt: skip
            wait_for(
                lambda: (
                    process.poll() is not None
                    or len({worker.node_id for worker in cluster.actors("worker")}) == 2
                ),
                seconds=200,
                what="workers on two nodes",
            )
            told, _ = process.communicate(timeout=200)
        assert process.returncode == 0, told
        assert f"cluster      {cluster.environment['RAY_ADDRESS']} (RAY_ADDRESS): 3 nodes" in told
    finally:
        cluster.close()

    folder = RunFolder(tmp_path / "two")
    together = pd.DataFrame(RunRecord.read(folder.journal).trials[0].reports)
    settings = Settings(**folder.read_experiment()["settings"])
    torch.set_num_threads(1)
    trial = Trial(
        FineTuneConfig.from_dict(RunRecord.read(folder.journal).trials[0].config),
        continue_with(settings, folder).pictures,
        device=torch.device("cpu"),
        workers=SOLO,
    )
    alone = pd.DataFrame([trial.run_epoch(epoch) for epoch in range(1, 5)])
    assert together["epoch"].tolist() == [1, 2, 3, 4]
    counts = [sum(map(sum, confusion)) for confusion in together["val_confusion"]]
    assert counts == [80] * 4  # every validation picture was seen by one of the two
    pd.testing.assert_frame_equal(together[FIGURES], alone[FIGURES], rtol=1e-3)
