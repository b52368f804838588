"""The table at the end of a search, and the commands below it."""

from typing import Any

from search.monitoring.summary import best_trials, print_summary
from search.records.folder import RunFolder
from search.records.record import RunRecord
from trainables.config import FineTuneConfig


def searched(**settings: Any) -> RunRecord:
    """Seven trials; the higher the number, the better, but for the last, which has no epoch."""
    record = RunRecord()
    for number in range(7):
        config = FineTuneConfig(dropout=number / 10, **settings).to_dict()
        record.apply({"event": "started", "trial": number, "config": config, "params": {}})
        for epoch in (1, 2, 3) if number < 6 else ():
            value = 0.5 + number / 100 - abs(epoch - 2) / 1000
            report = {"epoch": epoch, "val_macro_f1": value, "val_accuracy": value + 0.001}
            record.apply({"event": "reported", "trial": number, "report": report})
        status = {0: "stopped", 6: "failed"}.get(number, "finished")
        record.apply({"event": status, "trial": number, "rung": 1, "cause": "of its own"})
    return record


def test_the_best_five_side_by_side_with_the_settings_that_differ():
    record = searched()
    lines = [*best_trials([record.trials[number] for number in (5, 4, 3, 2, 1)])]
    rows = {line[:12].strip(): line[12:].split() for line in lines}
    assert rows["macro-F1"] == ["0.550", "0.540", "0.530", "0.520", "0.510"]
    assert rows["accuracy"][0] == "0.551"
    assert rows["epoch"][:3] == ["2", "of", "3"]
    assert rows["dropout"] == ["0.5", "0.4", "0.3", "0.2", "0.1"]
    assert len(lines) == 6
    assert len({len(line) for line in lines}) == 1


def test_all_lines_fit_in_80_columns(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    record = searched()
    for number, trial in record.trials.items():  # every setting differs, and has a long value
        for name in trial.config:
            trial.config[name] = f"{number} is a value that is long"
    print_summary(record, RunFolder(tmp_path / "runs" / "demo"))
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    assert any(line.startswith("backbone_lr_ratio ") and "..." in line for line in lines)


def test_the_next_commands(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    print_summary(searched(), RunFolder(tmp_path / "runs" / "demo"))
    told = capsys.readouterr().out
    assert "7 trials: 5 finished, 1 stopped, 1 failed" in told
    for command in (
        "tensorboard --logdir runs/demo",
        "optuna-dashboard runs/demo/study.log",
        "python -m search.confirm runs/demo",
        "python -m search.export runs/demo",
        "python -m analysis.report runs/demo",
    ):
        assert f".venv/bin/{command}\n" in told


def test_a_search_without_an_epoch_has_no_winner(tmp_path, capsys):
    record = RunRecord()
    record.apply({"event": "started", "trial": 0, "config": {}, "params": {}})
    print_summary(record, RunFolder(tmp_path))
    told = capsys.readouterr().out
    assert "go on " in told
    assert "winner" not in told
