"""Records of a search and of its confirmation, made by hand."""

from typing import Any

from search.confirm.grid import ConfirmationPlan
from search.records.record import RunRecord
from trainables.config import FineTuneConfig

BASE = FineTuneConfig(head_epochs=1, finetune_epochs=3, schedule="constant")


def search_record(*trials: dict[str, Any]) -> RunRecord:
    """A search in which trial i reached `values` (one an epoch) and ended with `status`.

    Other keys are settings of its configuration.
    """
    record = RunRecord()
    for number, told in enumerate(trials):
        settings = {k: v for k, v in told.items() if k not in ("values", "status")}
        config = BASE.to_dict() | {"head_lr": 0.001 * (number + 1)} | settings
        _train(record, number, config, told["values"], told.get("status", "finished"))
    return record


def confirmed_record(
    plan: ConfirmationPlan, figures: list[list[float | None]], *, seconds: list[float] | None = None
) -> RunRecord:
    """Its confirmation: `figures[row][column]`, None where the training failed."""
    record = RunRecord()
    for number, item in enumerate(plan.items()):
        column, row = divmod(number, len(plan.candidates))
        figure = figures[row][column]
        epochs = plan.candidates[row].epoch
        status = "failed" if figure is None else "finished"
        values = [0.1] if figure is None else [*[0.1] * (epochs - 1), figure]
        pace = (seconds[row] if seconds else 1.0) / epochs
        _train(record, number, item["config"], values, status, pace)
    return record


def _train(
    record: RunRecord,
    number: int,
    config: dict[str, Any],
    values: list[float],
    status: str,
    epoch_seconds: float = 1.0,
) -> None:
    record.apply({"event": "started", "trial": number, "config": config, "params": {}})
    for epoch, value in enumerate(values, start=1):
        report = {"epoch": epoch, "phase": 1 if epoch == 1 else 2, "val_macro_f1": value}
        report |= {"epoch_seconds": epoch_seconds, "finished": epoch == len(values)}
        record.apply({"event": "reported", "trial": number, "report": report})
    if status != "running":
        cause = {"cause": "out of luck", "kind": "error"} if status == "failed" else {}
        record.apply({"event": status, "trial": number, **cause})
