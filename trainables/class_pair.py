"""Two classes that an intervention aims at, as a setting writes them: "cat+dog"."""

from collections.abc import Iterator, Sequence

from trainables.errors import refuse

JOINT = "+"


def pair_text(first: str, second: str) -> str:
    """The setting of a pair; `pair_names` is its inverse."""
    return f"{first}{JOINT}{second}"


def pair_names(text: str) -> tuple[str, str] | None:
    """The two names of a pair's setting; None for "", or where the text is no pair."""
    names = [name.strip() for name in text.split(JOINT)]
    return (names[0], names[1]) if len(names) == 2 and all(names) else None


def pair_faults(names: tuple[str, str], class_names: Sequence[str]) -> Iterator[str]:
    """What keeps two names from being a pair of these classes."""
    known = ", ".join(class_names)
    for name in names:
        if name not in class_names:
            yield f"class {name!r} is unknown; allowed: two of {known}"
    if names[0] == names[1]:
        yield f"the pair is {names[0]!r} twice; allowed: two different classes of {known}"


def pair_indices(text: str, class_names: Sequence[str]) -> tuple[int, int] | None:
    """The classes' positions, the lower one first; None where there is no pair.

    Raises:
        UserError: a class of the pair is none of `class_names`.
    """
    names = pair_names(text)
    if names is None:
        return None
    refuse(f"pair is {text!r}: {fault}" for fault in pair_faults(names, class_names))
    first, second = sorted(class_names.index(name) for name in names)
    return first, second
