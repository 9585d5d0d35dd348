"""Where bodies branch: worked out of the chains of versions, without a database."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from playground.conversations.branches import branches, later_turns

START = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class Version:
    pk: str
    minute: int = 0
    chain: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.chain = list(self.pk)
        self.changed_at = START + timedelta(minutes=self.minute)


def test_a_turn_with_siblings_knows_its_number_and_its_neighbours() -> None:
    by_turn = branches([Version("ab"), Version("ac"), Version("ad")], list("ac"))
    assert list(by_turn) == [1]
    assert (by_turn[1].number, by_turn[1].count) == (2, 3)
    assert (by_turn[1].before.pk, by_turn[1].after.pk) == ("ab", "ad")


def test_what_was_not_kept_yet_comes_last() -> None:
    by_turn = branches([Version("ab")], list("ax"))
    assert (by_turn[1].number, by_turn[1].count, by_turn[1].before.pk, by_turn[1].after) == (2, 2, "ab", None)


def test_of_a_sibling_the_version_changed_last_is_gone_to() -> None:
    by_turn = branches([Version("abc", minute=5), Version("abd", minute=2), Version("x")], list("x"))
    assert by_turn[0].before.pk == "abc"


def test_turns_that_followed_are_found_behind_the_end_of_the_body() -> None:
    later = later_turns([Version("abcd")], list("ab"))
    assert later is not None
    assert (later.number, later.count, later.version.pk) == (1, 2, "abcd")


def test_turns_that_followed_a_turn_before_it_was_edited_are_found_at_its_sibling() -> None:
    later = later_turns([Version("abcd"), Version("x")], list("x"))
    assert later is not None
    assert (later.number, later.count, later.version.pk) == (1, 2, "abcd")


def test_a_sibling_that_is_no_longer_has_no_later_turns() -> None:
    assert later_turns([Version("a"), Version("x")], list("x")) is None
    assert later_turns([Version("ab")], []) is None
