"""Which classes are rigid and which organic: as a run says, or as is known of CIFAR-10's."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from trainables.classes import CIFAR10_CLASSES, ORGANIC, listed


@dataclass(frozen=True, kw_only=True)
class Kinds:
    """Names of rigid and of organic classes; both empty where nobody said which are which."""

    rigid: frozenset[str] = frozenset()
    organic: frozenset[str] = frozenset()

    @classmethod
    def of_run(cls, settings: Mapping[str, Any], class_names: tuple[str, ...]) -> "Kinds":
        """From a run's settings `organic` and `rigid`.

        Without `organic`, CIFAR-10's where the classes are CIFAR-10's ten, else none. Without
        `rigid`, all classes that are not organic.
        """
        organic = listed(settings.get("organic", ""))
        if not organic and set(class_names) == set(CIFAR10_CLASSES):
            organic = ORGANIC
        others = tuple(name for name in class_names if name not in organic) if organic else ()
        rigid = listed(settings.get("rigid", "")) or others
        return cls(rigid=frozenset(rigid), organic=frozenset(organic))

    def of(self, name: str) -> str | None:
        """ "rigid", "organic", or None for a class of which nothing is said."""
        if name in self.rigid:
            return "rigid"
        return "organic" if name in self.organic else None

    @property
    def untested(self) -> str | None:
        """Why the two cannot be held against each other; None where they can."""
        if not self.organic:
            return "the run does not say which classes are organic (--organic of search.run)"
        return None if self.rigid else "every class is said to be organic"
