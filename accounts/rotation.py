"""Wrap every stored data key by the first of the server's keys, while the site runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

from accounts import vault
from accounts.models import Connection

COLUMNS = ("credential", "default_headers")


@dataclass(slots=True)
class Rotation:
    """The result of a rotation. `unreadable` names rows that no configured key opens; they are left exactly as they
    were."""

    rewrapped: int = 0
    already: int = 0
    unreadable: list[str] = field(default_factory=list)


def rotate() -> Rotation:
    done = Rotation()
    for pk in list(Connection.objects.values_list("pk", flat=True)):
        for column in COLUMNS:
            try:
                rotate_one(pk, column, done)
            except vault.VaultError as problem:
                done.unreadable.append(f"{column} of connection {pk}: {problem}")
    return done


def rotate_one(pk: UUID, column: str, done: Rotation) -> None:
    """Compare and set: if somebody saves another credential meanwhile, theirs stays and is looked at again."""
    while connection := Connection.objects.filter(pk=pk).first():
        old = bytes(getattr(connection, column))
        if not old:
            return
        new = vault.current().rewrap(old, connection.place(column))
        if new is None:
            done.already += 1
            return
        if Connection.objects.filter(pk=pk, **{column: old}).update(**{column: new}):
            done.rewrapped += 1
            return


def unknown_keys() -> set[str]:
    """The ids of server keys that stored secrets need and the settings do not have."""
    blobs = (blob for row in Connection.objects.values_list(*COLUMNS) for blob in row)
    return {vault.key_id(bytes(blob)).hex() for blob in blobs if blob and not vault.current().knows(bytes(blob))}
