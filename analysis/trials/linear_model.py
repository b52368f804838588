"""The varied settings as columns of a linear model, and effects as contrasts of its coefficients.

Choices are coded by deviations from the mean over their levels, numbers are centred. A setting that
was not asked of a trial contributes nothing there; whether it was asked is a column of its own
unless another setting (its switch) says so already.

An unfreeze point counts by its depth in layers of the backbone, so that depths compare.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numpy.linalg import matrix_rank

from analysis.statistics.metrics import FloatArray
from analysis.trials.compared_trials import Setting
from trainables.backbones import BACKBONES, UNFREEZE_DEPTHS, unfrozen_layers

FULL_LEVERAGE = 1 - 1e-9


@dataclass(frozen=True, kw_only=True)
class Effect:
    """A difference or a slope to be estimated.

    Attributes:
        setting: whose effect it is.
        label: what is compared, such as "bicubic against the mean" or "per factor of 10".
        contrast: weights of the coefficients, shape (P,).
    """

    setting: str
    label: str
    contrast: FloatArray


@dataclass(frozen=True, kw_only=True)
class RegressionDesign:
    """A model matrix of full rank.

    Attributes:
        matrix: intercept first, shape (N, P).
        first_columns: where each fitted setting's columns begin.
        left_out: settings that these trials cannot tell apart from others, or that would leave too
            few trials.
    """

    matrix: FloatArray
    first_columns: dict[str, int]
    left_out: tuple[str, ...]

    @property
    def residual_df(self) -> int:
        return self.matrix.shape[0] - self.matrix.shape[1]

    @property
    def alone(self) -> npt.NDArray[np.bool_]:
        """Trials that a coefficient hangs on alone, shape (N,): their leverage is 1.

        The model passes through them whatever they did, so they bear no error of estimation.
        """
        orthogonal, _ = np.linalg.qr(self.matrix)
        return np.asarray((orthogonal**2).sum(axis=1) > FULL_LEVERAGE)

    def level(self, setting: Setting, level: str) -> FloatArray:
        """The contrast of one level with the mean over all levels, shape (P,)."""
        return self._weights(setting, _coding(len(setting.levels))[setting.levels.index(level)])

    def slope(self, setting: Setting) -> FloatArray:
        """The contrast of a number's slope, shape (P,)."""
        return self._weights(setting, np.ones(1))

    def effects(self, setting: Setting) -> list[Effect]:
        """Everything to be said of one fitted setting."""
        if not setting.levels:
            return [
                Effect(
                    setting=setting.name, label=f"per {setting.step}", contrast=self.slope(setting)
                )
            ]
        if len(setting.levels) == 2:
            low, high = setting.levels
            contrast = self.level(setting, high) - self.level(setting, low)
            return [Effect(setting=setting.name, label=f"{high} against {low}", contrast=contrast)]
        return [
            Effect(
                setting=setting.name,
                label=f"{level} against the mean",
                contrast=self.level(setting, level),
            )
            for level in setting.levels
        ]

    def _weights(self, setting: Setting, values: FloatArray) -> FloatArray:
        contrast = np.zeros(self.matrix.shape[1])
        first = self.first_columns[setting.name]
        contrast[first : first + len(values)] = values
        return contrast


def design_of(settings: Iterable[Setting], num_trials: int, *, least_df: int) -> RegressionDesign:
    """Take in settings in their order as long as they can be told apart and trials are left.

    Args:
        settings: the ones that matter most first.
        num_trials: N.
        least_df: residual degrees of freedom that must be left.
    """
    columns = [np.ones(num_trials)]
    first_columns: dict[str, int] = {}
    left_out = []
    for setting in settings:
        block = _block(setting)
        if num_trials - len(columns) - len(block) >= least_df and _is_new(columns, block):
            first_columns[setting.name] = len(columns)
            columns += block
            asked = setting.asked.astype(float)
            has_room = num_trials - len(columns) > least_df
            if has_room and _is_new(columns, [asked]):
                columns.append(asked)
        else:
            left_out.append(setting.name)
    return RegressionDesign(
        matrix=np.column_stack(columns), first_columns=first_columns, left_out=tuple(left_out)
    )


def _block(setting: Setting) -> list[FloatArray]:
    """The columns of one setting, each of shape (N,)."""
    asked = setting.asked
    if not setting.levels:
        return [np.where(asked, setting.values - setting.values[asked].mean(), 0.0)]
    places = np.where(asked, setting.values, 0).astype(int)
    return list(np.where(asked[:, None], _coding(len(setting.levels))[places], 0.0).T)


def _coding(num_levels: int) -> FloatArray:
    """Deviation coding: each level's row, shape (L, L - 1); the rows sum to zero."""
    return np.vstack([np.eye(num_levels - 1), -np.ones(num_levels - 1)])


def _is_new(columns: Sequence[FloatArray], block: Sequence[FloatArray]) -> bool:
    """Whether no combination of a block's columns is one of the others."""
    together = np.column_stack([*columns, *block])
    return bool(matrix_rank(together) == together.shape[1])


def is_known(setting: Setting, backbones: Sequence[str]) -> bool:
    """Whether every trial's depth can be counted in layers."""
    return bool(setting.asked.all()) and all(
        level in UNFREEZE_DEPTHS and backbone in BACKBONES
        for level in setting.levels
        for backbone in set(backbones)
    )


def depth_of(setting: Setting, backbones: Sequence[str]) -> Setting:
    """The setting `unfreeze` as a number: doublings of the unfrozen layers (their log2)."""
    layers: FloatArray = np.array(
        [
            unfrozen_layers(backbone, setting.levels[int(place)])
            for backbone, place in zip(backbones, setting.values, strict=True)
        ],
        dtype=float,
    )
    return Setting(
        name=setting.name, levels=(), values=np.log2(layers), step="doubling of the layers"
    )
