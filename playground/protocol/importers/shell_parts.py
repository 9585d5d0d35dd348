"""The parts of a shell's text: words, commands, here-documents."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Word:
    """One word; `expansions` are the variables and commands in it that are not known, left as they were written."""

    text: str
    offset: int
    expansions: list[str] = field(default_factory=list)


PIPED = Word("", 0, ["the output of a command"])  # stands for an output until the command before it is complete


@dataclass(slots=True)
class Command:
    """The words of one simple command and what it reads on standard input, if that is known."""

    words: list[Word] = field(default_factory=list)
    stdin: Word | None = None
    writes_to: str | None = None


@dataclass(slots=True)
class HereDocument:
    """A here-document whose lines are still to come."""

    owner: Command
    delimiter: str
    is_quoted: bool
    is_indented: bool
