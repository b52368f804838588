"""One table of detectors: what is planted, changed and claimed is in it, or is an error."""

import numpy as np
import pytest

from analysis.perturbations.battery import BatterySettings
from analysis.validate import planted
from analysis.validate.detectors import DETECTORS, detector_of, detector_of_claim
from trainables.errors import UserError


def test_every_detector_has_plants_and_neutral_looks() -> None:
    kinds = {kind for plants in planted.PLANT_SETS for kind, _ in plants}
    (looks, *_) = planted.neutral_looks(np.random.default_rng(0))
    assert kinds == set(looks) == set(DETECTORS)


def test_a_claim_leads_to_its_detector() -> None:
    for name, row in DETECTORS.items():
        assert row.claim is None or detector_of_claim(row.claim.claim) == name
    assert detector_of_claim("airplane and bird") is None


def test_what_no_detector_looks_for_cannot_be_planted(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="no detector 'corner'; allowed: background"):
        planted.plant("corner", "cat", "top left")
    (looks, *_) = planted.neutral_looks(np.random.default_rng(0))
    corner = planted.Plant(classes=("cat",), strength=1.0, look="top left")
    monkeypatch.setattr(planted, "PLANT_SETS", ((("corner", corner),),))
    with pytest.raises(ValueError, match="corner"):
        planted.biases_of(looks, 0)


def test_unknown_names_are_errors() -> None:
    with pytest.raises(ValueError, match="sky"):
        detector_of("sky")
    with pytest.raises(UserError, match="families has 'smell'"):
        BatterySettings(families=("smell",))  # type: ignore[arg-type]
