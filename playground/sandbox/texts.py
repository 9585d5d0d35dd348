"""The prose, code and tables that answers are made of; they stand as markdown in the folder `texts`."""

from __future__ import annotations

from pathlib import Path

_FOLDER = Path(__file__).parent / "texts"


def _sections(name: str) -> dict[str, str]:
    """A file's sections by their headings."""
    parts = ("\n" + (_FOLDER / name).read_text(encoding="utf-8")).split("\n## ")[1:]
    return {heading: text.strip("\n") for heading, _, text in (part.partition("\n") for part in parts)}


def _phrases(name: str) -> list[str]:
    lines = (_FOLDER / name).read_text(encoding="utf-8").splitlines()
    return [line.removeprefix("- ") for line in lines if line.startswith("- ")]


STORIES = _sections("stories.md")
POEMS = _sections("poems.md")
TABLES = _sections("tables.md")
CODE = _sections("code.md")  # by the name of the language
GREETINGS = _phrases("greetings.md")
OPENINGS = _phrases("openings.md")  # with {topic} and {Topic}
CLOSINGS = _phrases("closings.md")
POINTS = [(what, why) for what, _, why in (phrase.partition(": ") for phrase in _phrases("points.md"))]
SIMULATED = "*Simulated response. No model was called.*"
COMMON_WORDS = frozenset((_FOLDER / "common-words.txt").read_text(encoding="utf-8").split())  # tell nothing of a topic
BAD_GATEWAY = (_FOLDER / "bad-gateway.html").read_text(encoding="utf-8")  # as a proxy in front of an API has it
