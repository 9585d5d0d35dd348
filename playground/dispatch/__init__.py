"""The one way to the engine: a body, a connection and the settings become a live run with a recorder attached."""

from playground.dispatch.launch import (
    Fetched,
    Refused,
    RunReference,
    answer_of,
    count_tokens,
    fetch_for_key,
    fetch_models,
    get_live,
    model_and_stream,
    models_in,
    page_runs,
    quotas,
    start,
    start_in_server,
    upstream_of,
    within_rate_limit,
)
from playground.dispatch.run_request import ClientInfo, RunRequest

__all__ = [
    "ClientInfo",
    "Fetched",
    "Refused",
    "RunReference",
    "RunRequest",
    "answer_of",
    "count_tokens",
    "fetch_for_key",
    "fetch_models",
    "get_live",
    "model_and_stream",
    "models_in",
    "page_runs",
    "quotas",
    "start",
    "start_in_server",
    "upstream_of",
    "within_rate_limit",
]
