"""A run that has nothing left to do: said at once, without Ray."""

from search.interventions.design import Design
from search.monitoring.summary import print_arms_summary, print_summary
from search.records.folder import RunFolder
from search.records.record import RunRecord
from search.settings.settings import Settings
from trainables.storage import journal


def tell_if_finished(settings: Settings, folder: RunFolder) -> bool:
    """Whether all trials have ended, and their session in order; if so, say it and what is next.

    A session that was killed after its last trial may have left tables behind the journal: that run
    is not finished.
    """
    events = journal.read(folder.journal)
    sessions = [
        event["event"] for event in events if event["event"] in ("session_started", "session_ended")
    ]
    design = Design.of(folder.read_experiment())
    num_trials = design.num_runs if design else settings.num_trials
    record = RunRecord.of(events)
    if record.num_ended < num_trials or sessions[-1:] != ["session_ended"]:
        return False
    print(f"finished     {folder.root.name} has all its {num_trials} trials; nothing is left to do")
    if design:
        print_arms_summary(record, folder)
    else:
        print_summary(record, folder)
        print("\nmore         --resume with a larger --num-trials goes on")
    return True
