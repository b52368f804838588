"""The one place of this package where the sealed test is opened."""

from analysis.run.reader import Run
from trainables.data.images import ImageSet
from trainables.data.load import fingerprint, open_sealed_test
from trainables.data.sources import check_source
from trainables.data.spec import DataSpec
from trainables.errors import UserError, refuse


def open_test(run: Run, *, opened_by: str) -> ImageSet:
    """Open and journal the run's test split; it must be the one that the pre-flight audit saw.

    Raises:
        UserError: the source is absent (before the opening is journalled), or the split has other
            classes or other images than the run's record says.
    """
    spec = DataSpec.from_dict(run.experiment["data"])
    refuse(check_source(spec))
    test = open_sealed_test(spec, run.path, opened_by=opened_by)
    if test.class_names != run.class_names:
        raise UserError(
            f"classes of the test are {', '.join(test.class_names)}; allowed: those of the run, "
            f"{', '.join(run.class_names)}; point {spec.source!r} at the data of the run"
        )
    audited = run.experiment["test_hash"]
    if audited != fingerprint(test):
        raise UserError(
            f"the test of {spec.source!r} has sha256 {fingerprint(test)}; allowed: {audited}, as "
            "audited before the search; restore the data of the run"
        )
    return test
