"""The codes by which a websocket tells its page why it was closed; static/js/lib/close-codes.js has those that pages
act on."""

from __future__ import annotations

from typing import Final

SESSION_ENDED: Final = 4001
TOO_SLOW: Final = 4008
SERVER_RESTARTS: Final = 4012
BAD_FRAMES: Final = 4400
TOO_MANY: Final = 4429
