"""Bad requests: each is refused with the API's status, in the API's shape."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from playground.conformance.check import OMIT, Check, ProtocolFaultError, Request
from playground.conformance.checks.common_requests import DOCS, WEATHER, create, user
from playground.conformance.judging import path, refused
from playground.protocol.errors import ERROR_TYPES

if TYPE_CHECKING:
    from playground.conformance.http_exchange import Exchange

AREA: Final = "errors"
_READY: Final = [user("Repeat after me: ready")]


def _raw(data: bytes) -> Request:
    return Request(lambda _: data)


def _without(name: str) -> Request:
    body: dict[str, Any] = {"model": OMIT} if name == "model" else {}
    members = {"max_tokens": 16, "messages": _READY}
    return Request(body | {key: value for key, value in members.items() if key != name})


NO_MESSAGES: Final = _without("messages")
# Name, level, what is wrong, why it matters, the request, the statuses that say so.
KINDS: Final[tuple[tuple[str, Any, str, str, Request, tuple[int, ...]], ...]] = (
    ("not_json", "must", "A body that is not JSON", "A cut-off body must not start an answer.",
     _raw(b'{"model": "x", "messages": ['), (400, 422)),
    ("not_an_object", "must", "A body that is not an object", "As a body that is not JSON.",
     _raw(b"[1, 2, 3]"), (400, 422)),
    ("empty_body", "must", "An empty body", "As a body that is not JSON.", Request(), (400, 411, 422)),
    ("no_messages", "must", "A body without messages",
           "A request that cannot be answered is told so at once.", NO_MESSAGES, (400,
     422)),
    ("no_model", "should", "A body without a model", "A default model in its place answers, and costs, as another.",
     _without("model"), (400, 404, 422)),
    ("no_max_tokens", "should", "A body without max_tokens",
     "The API wants it. llama.cpp takes 4,096 in its place, at which answers are then cut.", _without("max_tokens"),
     (400, 422)),
    ("messages_empty", "must", "An empty list of messages", "There is nothing to answer.",
     Request({"max_tokens": 16, "messages": []}), (400, 422)),
    ("messages_text", "must", "messages as a string", "A string is not a list of messages.",
     Request({"max_tokens": 16, "messages": "Hello"}), (400, 422)),
    ("negative_max_tokens", "must", "A negative max_tokens",
           "No response has fewer than no tokens.", create(max_tokens=-1),
     (400, 422)),
    ("text_max_tokens", "should", "max_tokens as a string", "A string is not a number.",
     create(max_tokens="many"), (400, 422)),
    ("unknown_role", "must", "An unknown role", "The turn would be dropped, or read as another's.",
     create([{"role": "narrator", "content": "Once"}]), (400, 422)),
    ("no_content", "must", "A message without content", "A request that cannot be answered is told so at once.",
     create([{"role": "user"}]),
     (400, 422)),
    ("content_number", "should", "Content that is a number", "A request that cannot be answered is told so at once.",
     create([{"role": "user", "content": 7}]), (400, 422)),
    ("untyped_block", "should", "A block without a type", "Guessing its type goes wrong with the next one.",
     create([user([{"text": "Hello"}])]), (400, 422)),
    ("unknown_block", "must", "A block of an unknown type",
     "Dropped in silence, the model answers without what was sent.",
     create([user([{"type": "hologram", "data": "x"}, {"type": "text", "text": "Hello"}])]), (400, 422)),
    ("nameless_tool", "should", "A tool without a name", "It can not be called.",
     create(tools=[{"input_schema": {"type": "object"}}]), (400, 422)),
    ("unknown_choice", "should", "tool_choice of a tool that is not there", "The model can not do what is asked.",
     create(tools=[WEATHER], tool_choice={"type": "tool", "name": "get_tide"}), (400, 422)),
    ("temperature_range", "should", "A temperature of 5", "The API's range is 0 to 1.",
     create(temperature=5), (400, 422)),
    ("stream_text", "should", "stream as a text", "A text is neither true nor false.",
     create(stream="sometimes"), (400, 422)),
)  # fmt: skip
UNKNOWN_MODEL: Final = create(model="playground-no-such-model")
UNKNOWN_PATH: Final = Request({}, path="/v1/playground/no-such-path")
GET_MESSAGES: Final = Request(method="GET")


def _has_shape(exchange: Exchange) -> None:
    refused(400, 422)(exchange)
    body = exchange.json
    if not isinstance(body, dict) or body.get("type") != "error":
        raise ProtocolFaultError('The body has no "type": "error" at its top.', member="type")
    if not isinstance(path(body, "error", "type"), str) or not isinstance(path(body, "error", "message"), str):
        raise ProtocolFaultError("error has no type and message.", member="error")


def _has_known_type(exchange: Exchange) -> None:
    refused(400, 422)(exchange)
    kind = path(exchange.json, "error", "type")
    if kind not in ERROR_TYPES:
        raise ProtocolFaultError(f"error.type is {kind!r:.60}, which the API does not have.", member="error.type")


def _is_400(exchange: Exchange) -> None:
    refused(400)(exchange)


def _is_json(exchange: Exchange) -> None:
    refused(400, 422)(exchange)
    if not exchange.content_type.lower().startswith("application/json"):
        raise ProtocolFaultError(f"The content type of an error is {exchange.content_type or 'missing'}.")


def _names_the_member(exchange: Exchange) -> None:
    refused(400, 422)(exchange)
    if "messages" not in bytes(exchange.body).decode("utf-8", "replace"):
        raise ProtocolFaultError("The error does not say that messages are missing.", member="error.message")


def _kind(name: str, level: Any, what: str, why: str, request: Request, statuses: tuple[int, ...]) -> Check:
    return Check(
        f"errors.{name}", AREA, level, f"{what} is refused", "HTTP 400 with an error that can be read.", why,
        DOCS["errors"],
        (request,), refused(*statuses), depends=("answer.message",), bad_request=True,
    )  # fmt: skip


def _on_error(name: str, level: Any, title: str, expects: str, why: str, judge: Any, depends: Any = ()) -> Check:
    return Check(
        f"errors.{name}", AREA, level, title, expects, why, DOCS["errors"], (NO_MESSAGES,), judge,
        depends=depends or ("errors.no_messages",), bad_request=True,
    )  # fmt: skip


CHECKS: Final = (
    *(_kind(*kind) for kind in KINDS),
    _on_error("shape", "must", "Errors have the API's shape", '{"type": "error", "error": {"type", "message"}}',
              "The reference has one shape; OpenAI's, FastAPI's detail and a bare text are three others.",
              _has_shape),
    _on_error("types", "should", "error.type is one of the API's", ", ".join(ERROR_TYPES),
              "The type tells whether the request can be sent again.", _has_known_type, ("errors.shape",)),
    _on_error("status_400", "should", "A bad request is HTTP 400", "HTTP 400, not 422.",
              "The API's status for it is 400.", _is_400),
    _on_error("content_type", "should", "Errors are sent as JSON", "content-type: application/json",
              "A body of JSON says so.", _is_json),
    _on_error("names_member", "should", "An error names the member that is wrong", "messages in the error's text.",
              "A person has to find it in a body of a thousand lines.", _names_the_member),
    Check("errors.unknown_model", AREA, "should", "An unknown model is not found", "HTTP 404 with not_found_error.",
          "DeepSeek answers with a default model in its place: nobody sees the typing error.",
          DOCS["errors"],
          (UNKNOWN_MODEL,), refused(404, 400, error_type=""), depends=("answer.message",), bad_request=True),
    Check("errors.unknown_path", AREA, "should", "An unknown address is not found", "HTTP 404.",
          "A server must not answer for a part that it does not have.", DOCS["errors"], (UNKNOWN_PATH,),
          refused(404), depends=("answer.message",), bad_request=True),
    Check("errors.method", AREA, "should", "GET /v1/messages is refused", "HTTP 405, or 404.",
          "The address takes POST; HTTP 500 says that the server is broken.", DOCS["http"], (GET_MESSAGES,),
          refused(405, 404), depends=("answer.message",), bad_request=True),
)  # fmt: skip
