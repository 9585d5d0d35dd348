"""The columns of the request log: one record each for what its table shows and for what is stored of a run.

The table's head, its lines, what a line reads of the database, the filter, its choices, the facets of the search and
the exports are made from these. How a cell is drawn stands in `request_log/rows.py`, under the column's name.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the table. `css` are the classes of its cells. `reads`: the fields of a run that a cell needs."""

    name: str
    heading: str
    css: str
    reads: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Field:
    """One stored figure of a run, a field of the model.

    `filter`: the parameter of the address that asks for one value of it, "" if none does; the search answers these too
    (its facets). `label`: its words in the filter's form, where the values that occur in the log are offered; "" if
    the form offers values of its own, or none. `is_rare`: it stands behind "More". `is_exported`: in JSON and CSV.
    Without `is_facet` the search looks it up in the runs that it has found: it came after runs had been indexed.
    """

    name: str
    filter: str = ""
    label: str = ""
    is_rare: bool = False
    is_exported: bool = True
    is_facet: bool = True


_TOKENS = (
    "input_tokens", "output_tokens", "cache_write_tokens", "cache_read_tokens", "counted_tokens", "tokens_clamped",
)  # fmt: skip

TABLE = (
    Column("time", "Time", "time", ("started_at", "starred")),
    Column("status", "Status", "status-cell", ("state", "http_status", "failure_kind")),
    Column("model", "Model", "model", ("model", "endpoint")),
    Column("agent", "User Agent", "agent", ("agent", "user_agent")),
    Column("connection", "Connection", "col-connection", ("connection_name", "base_url")),
    Column("phases", "Phases", "spark", ("phases", "duration_ms", "state")),
    Column("first_token", "TTFT", "ttft num", ("first_token_ms",)),
    Column("duration", "Duration", "duration num", ("duration_ms",)),
    Column("tokens", "Tokens", "tokens num", _TOKENS),
    Column("cost", "Cost", "col-cost num", ("cost_usd",)),
    Column("source", "Source", "col-source", ("source", "access_key_name", "content_kept")),
)

# In the order of the exports.
FIELDS = (
    Field("state", filter="state", is_rare=True),
    Field("failure_kind"),
    Field("failure_message"),
    Field("source", filter="source"),
    Field("endpoint", filter="endpoint", is_facet=False, is_rare=True),
    Field("model", filter="model", label="Model"),
    Field("stream"),
    Field("connection_name", filter="connection", label="Connection"),
    Field("access_key_name", filter="key", label="Access key", is_rare=True),
    Field("user_agent"),
    Field("client_address"),
    Field("client_session", filter="session", is_rare=True),
    Field("http_status"),
    Field("first_byte_ms"),
    Field("first_token_ms"),
    Field("duration_ms"),
    Field("input_tokens"),
    Field("output_tokens"),
    Field("cache_write_tokens"),
    Field("cache_read_tokens"),
    Field("thinking_tokens"),
    Field("counted_tokens"),
    Field("tokens_clamped"),
    Field("cost_usd"),
    Field("stop_reason", filter="stop", label="Stop reason", is_rare=True),
    Field("request_id"),
    Field("request_size"),
    Field("received_size"),
    Field("event_count"),
    Field("note"),
    Field("starred"),
    Field("agent", filter="agent", label="User agent", is_rare=True, is_exported=False),
    Field("status_class", filter="status", is_exported=False),
)

EXPORTED = tuple(field.name for field in FIELDS if field.is_exported)
# What the search's index keeps of a run.
FACETS = tuple(field.name for field in FIELDS if field.filter and field.is_facet)
# What a line reads; the wide fields stay in the database.
READ = tuple(dict.fromkeys(["id", *(name for column in TABLE for name in column.reads), "client_session"]))
