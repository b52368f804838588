"""The steps of a confirmation: train, conclude, print, and if wanted the final model."""

import json
import shutil
from typing import Any

from search.cluster.connect import connect
from search.confirm import conclusion
from search.confirm.conclusion import conclude
from search.confirm.final import retrain
from search.confirm.grid import FORMAT_VERSION, ConfirmationPlan, choose_candidates
from search.monitoring.lines import FreshProgress
from search.plan.packing import pack_gpus
from search.records.folder import RunFolder
from search.records.record import RunRecord
from search.settings.settings import Settings
from search.tuning import preparation
from search.tuning.fixed_list import train_fixed_list
from search.tuning.preparation import fresh_pictures
from trainables.errors import UserError
from trainables.models.checkpoint_folders import folder_name
from trainables.storage import journal
from trainables.storage.files import write_json
from trainables.workers.ray_trial import trial_folder


def confirm(run: RunFolder, plan: ConfirmationPlan, settings: Settings, *, final: bool) -> None:
    """Do what of a confirmation is not done yet, and print what it found.

    Args:
        run: the run; trainings go to RUN/confirm, the result to RUN/confirm.json.
        plan: what to train.
        settings: of the run, with this session's resources.
        final: train the winner on training and validation pictures afterwards.
    """
    searched = RunRecord.read(run.journal)
    for note in notes(plan, searched):
        print(f"note         {note}")
    if not run.confirmation.exists():
        confirmed = train_grid(run, plan, settings)
        result = conclude(plan, confirmed, searched, seed=settings.seed)
        result["checkpoints"] = winners_checkpoints(plan, result["winner"])
        write_json(run.confirmation, result)
    result = read_confirmation(run)
    drop_other_checkpoints(run, result)
    made = result["created"]
    if all(event.get("confirmation") != made for event in journal.read(run.journal)):
        journal.append(
            run.journal,
            "confirmed",
            confirmation=made,
            winner=result["winner"],
            tie_set=result["tie_set"],
        )
    print()
    for line in conclusion.confirmation_lines(result):
        print(line)
    if final:
        train_final(run, result, settings)
    print_next(run, has_winner=result["winner"] is not None)


def train_grid(run: RunFolder, plan: ConfirmationPlan, settings: Settings) -> RunRecord:
    """Train every candidate with every seed, or what is left of it."""
    folder = run.inside("confirm")
    done = RunRecord.read(folder.journal)
    if done.num_ended == len(plan.grid):  # killed between the last training and confirm.json
        return done
    trials = ", ".join(str(candidate.trial) for candidate in plan.candidates)
    seeds = ", ".join(map(str, plan.seeds))
    gone_on = f", {done.num_ended} of them done" if done.num_ended else ""
    print(f"confirm      trials {trials}, seeds {seeds}: {len(plan.grid)} trainings{gone_on}")
    preparation.continue_with(settings, run)  # refuses other pictures than the search had
    datasets = {seed: fresh_pictures(settings, seed) for seed in plan.seeds}
    print(f"cluster      {connect(settings)}")
    settings = pack_gpus(settings)
    cells = plan.grid.cells()
    return train_fixed_list(
        plan.items(),
        folder,
        datasets,
        settings,
        run=run,
        listeners=(
            FreshProgress(
                {number: (candidate.trial, seed) for number, (candidate, seed) in cells.items()}
            ),
        ),
        kept_trials=len(plan.grid),  # until it is known whose are wanted
        selects=False,
    )


def winners_checkpoints(plan: ConfirmationPlan, winner: int | None) -> list[dict[str, Any]]:
    """Seed and folder (in the run's) of each of the winner's trainings, for `analysis.report`."""
    return [
        {
            "seed": seed,
            "path": f"confirm/trials/{trial_folder(number)}/{folder_name(candidate.epoch)}",
        }
        for number, (candidate, seed) in plan.grid.cells().items()
        if candidate.trial == winner
    ]


def drop_other_checkpoints(run: RunFolder, result: dict[str, Any]) -> None:
    """Delete what the confirmation's other trainings kept; a kill leaves the rest to the next call.

    A result of an earlier release names no checkpoints and has none.
    """
    kept = {run.root / entry["path"] for entry in result.get("checkpoints", [])}
    for path in RunFolder(run.confirm).trials.glob("*/checkpoint_*/"):
        if path not in kept:
            shutil.rmtree(path, ignore_errors=True)


def train_final(run: RunFolder, result: dict[str, Any], settings: Settings) -> None:
    """Train the final model, unless it is there."""
    if result["winner"] is None:
        raise UserError(f"--final: {result['verdict']}; allowed: a confirmation with a winner")
    winner = next(c for c in result["configurations"] if c["trial"] == result["winner"])
    if run.final.exists() and run.read_final()["trial"] != winner["trial"]:
        raise UserError(
            f"{run.final} is of trial {run.read_final()['trial']}, which an earlier confirmation "
            f"took; this one takes trial {winner['trial']}; delete final/ and final.json in the "
            "run folder, or put them elsewhere, to train it"
        )
    if not run.final.exists():
        print(
            f"\nfinal        trial {winner['trial']} on training and validation pictures, "
            f"{winner['epoch']} epochs, seed {winner['config']['seed']}"
        )
        pictures = preparation.continue_with(settings, run).pictures
        print(f"cluster      {connect(settings)}")
        retrain(run, winner, pictures, pack_gpus(settings))
    print(f"\nfinal        {run.shown(run.final)}")
    print(f"             {run.read_final()['note']}")


def notes(plan: ConfirmationPlan, searched: RunRecord) -> list[str]:
    """What a person should know of the candidates."""
    found = []
    if len(plan.candidates) < plan.top:
        count = len(plan.candidates)
        found.append(
            f"{count} configuration{'s' if count > 1 else ''} instead of {plan.top}: the search "
            "has finished no more"
        )
    best = searched.best_trial
    if best is not None and best.status != "finished":
        found.append(
            f"the best epoch of the search is of trial {best.number}, which did not finish "
            f"({best.status}): it is no candidate"
        )
    running = sum(not trial.ended for trial in searched.trials.values())
    if running:
        found.append(f"{running} of the search's trials have not ended and are left out")
    if choose_candidates(searched, plan.top) != plan.candidates:
        found.append(
            "the search has gone on since this confirmation was begun and has other best trials "
            "now; delete confirm/ and confirm.json in the run folder to confirm those"
        )
    return found


def read_confirmation(run: RunFolder) -> dict[str, Any]:
    """The contents of confirm.json."""
    try:
        result: dict[str, Any] = json.loads(run.confirmation.read_text())
        if result["format_version"] != FORMAT_VERSION:
            raise ValueError(f"format_version {result['format_version']!r}")
    except (ValueError, KeyError) as error:
        raise UserError(
            f"{run.confirmation} cannot be read ({error}); allowed: the file that search.confirm "
            f"wrote, with format_version {FORMAT_VERSION}; delete it, and the same command makes "
            "it again from RUN/confirm without training"
        ) from error
    return result


def print_next(run: RunFolder, *, has_winner: bool) -> None:
    """Where the result is, and what to type next."""
    where = run.shown(run.root)
    print(f"\nconfirmed    {run.shown(run.confirmation)}")
    if run.final.exists():
        print(f"export       .venv/bin/python -m search.export {where} --final")
    elif has_winner:
        print(f"final        .venv/bin/python -m search.confirm {where} --final")
    print(f"report       .venv/bin/python -m analysis.report {where}")
