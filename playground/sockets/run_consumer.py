"""Follow one run over a websocket, and stop it. The run itself knows nothing of sockets.

Frames are JSON. To the page: the run's steps as `engine.frames` makes them; `events` and `draw` frames also carry
patches (`draw`) with the place they lead to (`drawn`), and every frame has a number (`frame`). `saving` says when what
arrives cannot be stored, and when it can again; `waiting` likewise for the way to the run's own process, where a site
has several. A frame that would be too large comes as `piece`s. From the page:
`{"type": "seen", "frame": N}` or `{"type": "seen", "number": N}`, and `{"type": "stop"}`. A page that returns asks for
what it lacks: `?after=<last event>&drawn=<last place>`.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from channels.db import database_sync_to_async

from accounts.login_sessions import session_is_valid
from playground import dispatch
from playground.answer.shared_drawing import SharedDrawing, share
from playground.dispatch import process
from playground.engine.events import Answered, Ended, Received, Streamed
from playground.engine.frames import frames
from playground.identity import visitors
from playground.models import Run
from playground.protocol.whole_numbers import read_whole
from playground.sockets.close_codes import BAD_FRAMES, SERVER_RESTARTS, SESSION_ENDED
from playground.sockets.frame_rate import SHORTEST_S, loop_lag
from playground.sockets.owner_consumer import OwnerConsumer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from playground.engine.events import RunEvent
    from playground.engine.live_run import LiveRun

WINDOW_BYTES = 256 * 1024  # sent and not acknowledged
PIECE = 50_000  # characters of a frame that was too large, per piece
EVENTS_AT_ONCE = 400
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_URGENT = ("content_block_start", "content_block_stop", "message_stop", "error")


class RunConsumer(OwnerConsumer):
    """One socket of one run's owner."""

    run: LiveRun | None = None
    told_failing = told_waiting = False

    async def connect(self) -> None:
        self.unseen: deque[tuple[int, int, int]] = deque()  # frame, last event number, bytes
        self.unseen_bytes = 0
        self.frame = self.number = 0
        run_id = self.scope["url_route"]["kwargs"]["run_id"]
        owner = visitors.owner_of(self.scope)
        live = dispatch.get_live()
        self.run = live.find(run_id, owner) if owner else None
        stored = None if self.run else await self._stored(run_id)
        if owner and not self.run and not (stored and stored.is_final):
            self.run = await live.afind(run_id, owner)
        if owner is None or (self.run is None and stored is None):
            return await self.close()  # before accept: the handshake is refused, whoever's run it is
        if not await self.admit(owner):
            return None
        if self.run is None:
            return await self._tell_stored(stored)
        return self.work(self._follow(self.run))

    async def _stored(self, run_id: Any) -> Run | None:
        """The owner's run from the log, if it has left the live log or was cut off by a restart."""
        user = self.scope.get("user")
        if user is None or not user.is_authenticated:
            return None
        return await database_sync_to_async(Run.objects.owned_by(user).filter(pk=run_id).first)()

    async def _tell_stored(self, run: Run | None) -> None:
        """Tell the page to fetch the stored answer: there is nothing to follow. A run that goes on in a process which
        cannot be reached at the moment is asked for again."""
        if run is not None and not run.is_final and run.server_process is not None:
            await self.close(SERVER_RESTARTS)
            return
        state = run.state if run is not None and run.is_final else "interrupted"
        await self._send({"type": "ended", "state": state, "stored": True})
        await self.close(1000)

    # -- what the page says

    async def hear(self, frame: dict[str, Any]) -> None:
        match frame.get("type"):
            case "seen":
                return self._take_seen(frame.get("frame"), frame.get("number"))
            case "stop" if self.run is not None:
                # The right was checked when the socket opened; a stop is an act, so it is checked again.
                if visitors.owner_of(self.scope) == self.run.owner and await session_is_valid(self.scope):
                    return self.run.stop()
                return await self.close(SESSION_ENDED)
            case _:
                return await self.close(BAD_FRAMES)

    def _take_seen(self, frame: Any, number: Any) -> None:
        while self.unseen:
            sent_frame, last_number, size = self.unseen[0]
            by_frame = isinstance(frame, int) and sent_frame <= frame
            by_number = isinstance(number, int) and last_number <= number
            if not (by_frame or by_number):
                break
            self.unseen.popleft()
            self.unseen_bytes -= size
        self.acknowledged.set()

    # -- following

    async def _follow(self, run: LiveRun) -> None:
        query = parse_qs(self.scope.get("query_string", b"").decode("latin-1"))
        after = _number(query.get("after", ["0"])[0])
        try:
            await run.reach(after)
            with loop_lag, share(run) as shared:
                epoch, _, revision = query.get("drawn", [""])[0].partition(".")
                since = _number(revision) if epoch == shared.epoch and after <= run.event_count else 0
                await self._send_all(run, shared, after, since)
        except asyncio.CancelledError:
            raise
        except Exception:
            await self.close(SERVER_RESTARTS)
            raise
        await self._wait_until_seen()
        await self.close(SERVER_RESTARTS if _is_stopping(run) else 1000)

    async def _send_all(self, run: LiveRun, shared: SharedDrawing, after: int, since: int) -> None:
        position = run.position_after(after)
        if position and since == 0:
            await self._send_steps(run.events[:position])
        sent_at = 0.0
        while True:
            if position >= len(run.events) and shared.is_current and since >= shared.drawing.revision > 0:
                if run.is_over:
                    return
                await self._wait(run, shared)
            batch = run.events[position : position + EVENTS_AT_ONCE]
            if not _is_urgent(batch):
                await self._gather(sent_at)
                batch = run.events[position : position + EVENTS_AT_ONCE]
            await self._window()
            await self._tell_if_saved(run)
            position += len(batch)
            await shared.advance()
            patches, revision = await shared.patches(since)
            digest = await shared.digest() if batch and isinstance(batch[-1], Ended) else ""
            await self._send_batch(batch, patches, f"{shared.epoch}.{revision}", digest)
            since = revision
            sent_at = time.monotonic()

    async def _wait(self, run: LiveRun, shared: SharedDrawing) -> None:
        """Wait until something comes, or text on the page is due to take its shape."""
        redraw_in_s = shared.drawing.redraw_in_s
        if redraw_in_s is None:
            await run.wait()
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(redraw_in_s):
                await run.wait()

    async def _gather(self, sent_at: float) -> None:
        """The first event after a pause leaves at once; those right behind a frame go together. What comes nearly a
        window later does not wait for the rest of it: under load the reads are spaced like that already."""
        window = loop_lag.window_s or SHORTEST_S
        if (rest := sent_at + window - time.monotonic()) > window / 4:
            await asyncio.sleep(rest)

    async def _window(self) -> None:
        await self.wait_for_acknowledgement(lambda: self.unseen_bytes >= WINDOW_BYTES)

    async def _wait_until_seen(self) -> None:
        """Before the socket closes the page should have said that it has everything; a silent one is not waited for."""
        with suppress(TimeoutError):
            async with asyncio.timeout(2):
                while self.unseen:
                    self.acknowledged.clear()
                    await self.acknowledged.wait()

    # -- sending

    async def _send_steps(self, events: Sequence[RunEvent]) -> None:
        """Status and headers for a page that knows the events but has drawn nothing."""
        for frame in frames(event for event in events if isinstance(event, Answered)):
            await self._send(frame)

    async def _tell_if_saved(self, run: LiveRun) -> None:
        """Say when what arrives cannot be stored for the moment, and when it can again (visitors' runs never are); and
        when nothing can arrive because the way to the run's own process is interrupted."""
        is_ours = run.about.user_id is not None and not run.is_elsewhere
        is_failing = is_ours and process.current().recorder.failing
        if is_failing != self.told_failing:
            self.told_failing = is_failing
            await self._send({"type": "saving", "is_failing": is_failing})
        if run.is_waiting != self.told_waiting:
            self.told_waiting = run.is_waiting
            await self._send({"type": "waiting", "is_waiting": run.is_waiting})

    async def _send_batch(
        self, batch: Sequence[RunEvent], patches: list[dict[str, Any]], drawn: str, digest: str
    ) -> None:
        """The patches travel with the last events they draw, and before the end, which names what they make."""
        if numbers := [event.number for event in batch if isinstance(event, Streamed)]:
            self.number = numbers[-1]
        made = list(frames(event for event in batch if not isinstance(event, Ended)))
        carrier = made[-1] if made and made[-1]["type"] == "events" else None
        if patches and carrier is None:
            carrier = {"type": "draw"}
            made.append(carrier)
        if carrier is not None:
            carrier |= {"draw": patches, "drawn": drawn}
        made += [frame | {"digest": digest} for frame in frames(event for event in batch if isinstance(event, Ended))]
        for frame in made:
            await self._send(frame)

    async def _send(self, frame: dict[str, Any]) -> None:
        self.frame += 1
        text = _encode(frame | {"frame": self.frame})
        for piece in _pieces(text, self.frame):
            await self.send(piece)
        size = len(text.encode("utf-8", "replace")) if not text.isascii() else len(text)
        self.unseen.append((self.frame, self.number, size))
        self.unseen_bytes += size


def _number(text: str) -> int:
    return read_whole(text, longest=11) or 0


def _is_urgent(batch: Sequence[RunEvent]) -> bool:
    """The steps of the run, the beginning and end of a block and errors are not held back."""
    return any(
        event.event.name in _URGENT if isinstance(event, Streamed) else not isinstance(event, Received)
        for event in batch[-8:]
    )


def _is_stopping(run: LiveRun) -> bool:
    return run.failure is not None and run.failure.kind == "server_stopping"


def _pieces(text: str, frame: int) -> Iterator[str]:
    if len(text) <= PIECE:
        yield text
        return
    parts = [text[at : at + PIECE] for at in range(0, len(text), PIECE)]
    for number, part in enumerate(parts):
        yield json.dumps({"type": "piece", "of": len(parts), "n": number, "frame": frame, "text": part})
