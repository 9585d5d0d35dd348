"""Where a draft's request goes, in the words of the page. It holds no secret."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from playground.protocol.endpoints import MESSAGES
from playground.sandbox.address import SCHEME

if TYPE_CHECKING:
    from accounts.models import Connection

SANDBOX_NAME = "Sandbox"


@dataclass(frozen=True)
class Destination:
    """The connection as the page shows it; None is the sandbox, which needs no credential."""

    connection: Connection | None

    @property
    def name(self) -> str:
        return self.connection.name if self.connection else SANDBOX_NAME

    @property
    def name_and_test(self) -> str:
        return f"{self.name}, {self.connection.test_words}" if self.connection else SANDBOX_NAME

    @property
    def address(self) -> str:
        if self.connection is None:
            return f"{SCHEME}:{MESSAGES}"
        return self.connection.base_url.rstrip("/").removesuffix("/v1").rstrip("/") + MESSAGES

    @property
    def auth_style(self) -> str:
        return self.connection.auth_style if self.connection else "x-api-key"

    @property
    def credential_words(self) -> str:
        """The placeholder of the field for a key."""
        if self.connection is None:
            return "none needed"
        return self.connection.masked_credential or "for this visit only"
