"""Requests that take long to read are answered in a process of their own, away from everybody's streams.

Parsing tens of megabytes, or JSON of a hundred thousand tokens, holds the interpreter's lock, and in a thread as well
as on the event loop every stream stands still meanwhile. So a large request goes, as it came, to a worker process: a
fork of a template process that has the application loaded. The worker answers with the same Django application, within
a limit of time and of memory, and ends, which gives all its memory back.

`hand_over` is for code that finds out late how large its input is: the draft of a small request may be large.
`in_server` is for what only the server's own process knows, such as its live runs.
"""

from playground.workers.calls import LARGE, NotHereError, hand_over_large, in_server, is_worker, services
from playground.workers.middleware import HandOver
from playground.workers.pool import Workers, answer_large_apart

__all__ = [
    "LARGE",
    "HandOver",
    "NotHereError",
    "Workers",
    "answer_large_apart",
    "hand_over_large",
    "in_server",
    "is_worker",
    "services",
]
