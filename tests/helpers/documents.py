"""What the documents of the project say: their commands, links and paths."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import dropwhile, groupby
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`([^`]+)`")
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_ASSIGNMENT = re.compile(r"\w+=")  # of an environment variable, before a command
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Command:
    """One command of a document, as a shell would split it."""

    document: Path
    words: tuple[str, ...]
    is_inline: bool  # within a sentence or a table, where a bare `search NAME` is a name

    def __str__(self) -> str:
        return f"{self.document.name}: {shlex.join(self.words)}"


def commands(document: Path) -> Iterator[Command]:
    """Every line of the fenced sh blocks, and every inline span that begins as a command."""
    text = document.read_text(encoding="utf-8")
    for language, block in _FENCE.findall(text):
        if language == "sh":
            for line in block.replace("\\\n", " ").splitlines():
                for words in _simple_commands(line):
                    yield Command(document=document, words=words, is_inline=False)
    for span in spans(text):
        if span.startswith(("python -m ", "search ", ".venv/bin/", "make ")):
            yield Command(document=document, words=tuple(shlex.split(span)), is_inline=True)


def _simple_commands(line: str) -> Iterator[tuple[str, ...]]:
    """The commands of a line of shell, without assignments before and redirections behind them."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars="&|;<>")
    lexer.whitespace_split, is_target = True, False
    for is_operator, tokens in groupby(lexer, lambda token: set(token) <= set("&|;<>")):
        words = tuple(dropwhile(_ASSIGNMENT.match, tokens))
        if words and not is_operator and not is_target:
            yield words
        is_target = is_operator and words[-1] in ("<", ">", ">>")


def spans(text: str) -> list[str]:
    """Inline code outside of the fenced blocks, each on one line."""
    return [" ".join(span.split()) for span in _INLINE.findall(_FENCE.sub("", text))]


def links(document: Path) -> list[str]:
    """The targets of links and pictures that are not on the web."""
    targets = _LINK.findall(_FENCE.sub("", document.read_text(encoding="utf-8")))
    return [target for target in targets if not target.startswith(("http://", "https://"))]


def anchors(document: Path) -> set[str]:
    """Of its headings, as GitHub makes them."""
    headings = _HEADING.findall(_FENCE.sub("", document.read_text(encoding="utf-8")))
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in headings}


def table(document: Path, heading: str) -> list[dict[str, str]]:
    """The first table of a section: a dictionary a row, by the names of its columns."""
    text = document.read_text(encoding="utf-8")
    section = re.split(r"^#+ ", text.partition(f"# {heading}\n")[2], flags=re.MULTILINE)[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    names, _, *rows = [[cell.strip() for cell in line[1:-1].split("|")] for line in lines]
    return [dict(zip(names, row, strict=True)) for row in rows]


def code_spans(cell: str) -> list[str]:
    """The inline code of a table's cell."""
    return _INLINE.findall(cell)
