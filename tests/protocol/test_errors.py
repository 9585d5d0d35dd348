"""Error bodies: the API's shape out, any shape in."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.protocol.errors import ERROR_TYPES, error_body, parse_error, type_of_status

# Shapes that servers compatible with the API answer with, and the words in them.
SHAPES: list[tuple[int, Any, str, str]] = [
    (529, {"type": "error", "error": {"type": "overloaded_error", "message": "Busy"}}, "overloaded_error", "Busy"),
    (404, {"error": "model 'x' not found"}, "not_found_error", "model 'x' not found"),
    (
        400,
        {"error": {"message": "Bad", "type": "BadRequestError", "param": None, "code": 400}},
        "BadRequestError",
        "Bad",
    ),
    (
        429,
        {"error": {"message": "Slow down", "type": "None", "param": "None", "code": "429"}},
        "rate_limit_error",
        "Slow down",
    ),
    (400, {"object": "error", "message": "Too long", "type": "BadRequestError"}, "BadRequestError", "Too long"),
    (422, {"detail": "Unprocessable"}, "invalid_request_error", "Unprocessable"),
    (
        422,
        {"detail": [{"loc": ["body", "messages", 0], "msg": "Field required"}, {"loc": ["body"], "msg": "Bad"}]},
        "invalid_request_error",
        "messages.0: Field required; Bad",
    ),
    (402, {"error": {"code": 402, "message": "Add credits", "metadata": {"p": 1}}}, "billing_error", "Add credits"),
    (500, {"message": "Internal"}, "api_error", "Internal"),
    (401, "no key", "authentication_error", "no key"),
    (500, None, "api_error", "HTTP 500 Internal Server Error: null"),
    (503, [], "api_error", "HTTP 503 Service Unavailable: []"),
    (529, {"error": {}}, "overloaded_error", 'HTTP 529: {"error": {}}'),
]


@pytest.mark.parametrize(("status", "body", "type_", "message"), SHAPES)
def test_errors_of_every_shape_are_read(status: int, body: Any, type_: str, message: str) -> None:
    error = parse_error(status, json.dumps(body).encode(), "application/json")
    assert (error.type, error.message) == (type_, message)
    assert json.loads(error.raw) == body


def test_the_apis_own_shape_is_read_whole() -> None:
    details = {"error_code": "thread_not_found", "thread": "t"}
    body = error_body("not_found_error", "No such thread", "req_1", details)
    error = parse_error(404, json.dumps(body).encode())
    assert (error.type, error.message, error.request_id) == ("not_found_error", "No such thread", "req_1")
    assert error.details == details
    assert error.error_code == "thread_not_found"


def test_what_stands_beside_the_message_is_kept() -> None:
    body = {"error": {"message": "m", "code": 402, "param": None, "metadata": {"provider": "x"}}}
    assert parse_error(402, json.dumps(body).encode()).details == {"code": 402, "metadata": {"provider": "x"}}


def _json(value: object) -> bytes:
    return json.dumps(value).encode()


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (_json({"detail": {"error": {"message": "words", "type": "x"}}}), "words"),
        (_json({"Message": "words"}), "words"),
        (_json({"code": "Invalid", "msg": "words"}), "words"),
        (_json({"reason": "words"}), "words"),
        (_json({"message": ["one", "two"], "error": "Bad Request", "statusCode": 400}), "one; two"),
        (_json({"message": {"detail": [{"loc": ["body", "model"], "msg": "required"}]}}), "model: required"),
        (_json({"errors": [{"code": 7003, "message": "words"}], "success": False}), "words"),
        (_json({"errors": {"model": ["is required", "is odd"]}}), "model: is required, is odd"),
        (_json({"error": "invalid_token", "error_description": "It expired"}), "invalid_token: It expired"),
        (_json({"status": 500, "error": "Internal Server Error", "message": "words", "path": "/x"}), "words"),
        (_json(json.dumps({"error": {"message": "words"}})), "words"),
        (_json({"error": {"message": json.dumps({"error": {"message": "words"}}), "type": "api_error"}}), "words"),
        (b'event: error\ndata: {"type":"error","error":{"type":"rate_limit_error","message":"words"}}\n\n', "words"),
        ('{"error":"words"}'.encode("utf-16"), "words"),
        (b"<?xml version='1.0'?><Error><Code>AccessDenied</Code><Message>words</Message></Error>", "words"),
        (b"<!DOCTYPE html><title>Error</title><pre>Cannot POST /v1/messages</pre>", "Cannot POST /v1/messages"),
    ],
)  # fmt: skip
def test_words_are_found_wherever_a_server_puts_them(body: bytes, words: str) -> None:
    assert parse_error(400, body).message == words


def test_an_address_in_the_place_of_the_type_is_no_type() -> None:
    error = parse_error(400, _json({"type": "https://example.org/problem", "title": "T", "detail": "words"}))
    assert (error.type, error.message) == ("invalid_request_error", "words")


def test_a_web_page_is_told_by_its_title() -> None:
    page = b"<html><head><title>413 Request\n Entity &amp; Too Large</title></head><body><h1>nginx</h1></body></html>"
    error = parse_error(413, page, "text/html")
    assert (error.type, error.message) == ("request_too_large", "413 Request Entity & Too Large")
    assert error.raw == page.decode()


@pytest.mark.parametrize("body", [b"", b"  \n"])
def test_an_empty_body_is_told_as_empty(body: bytes) -> None:
    assert parse_error(502, body).message == "HTTP 502 Bad Gateway with an empty body."


def test_plain_and_broken_text_is_its_own_message() -> None:
    assert parse_error(500, b"upstream connect error\n").message == "upstream connect error"
    assert parse_error(500, b'{"error": {"mess').message == '{"error": {"mess'


def test_a_message_is_cut_but_the_raw_body_is_not() -> None:
    error = parse_error(500, b"x" * 10_000)
    assert len(error.message) == 2_000
    assert len(error.raw) == 10_000


@given(st.integers(100, 999), st.binary(), st.sampled_from([None, "text/html", "application/json"]))
def test_no_body_is_bad_enough_to_raise(status: int, body: bytes, content_type: str | None) -> None:
    error = parse_error(status, body, content_type)
    assert error.type
    assert error.message


def test_a_hostile_page_is_read_in_no_time() -> None:
    assert parse_error(500, b"<title " * 20_000, "text/html").type == "api_error"


def test_deep_json_is_shown_as_text() -> None:
    assert parse_error(500, b"[" * 100_000).message.startswith("[[[")


@pytest.mark.parametrize(("type_", "status"), ERROR_TYPES.items())
def test_types_and_statuses_belong_together(type_: str, status: int) -> None:
    assert type_of_status(status) == type_


@pytest.mark.parametrize(
    ("status", "type_"), [(418, "invalid_request_error"), (422, "invalid_request_error"), (503, "api_error")]
)
def test_a_status_without_a_type_of_its_own_takes_the_general_one(status: int, type_: str) -> None:
    assert type_of_status(status) == type_


def test_a_body_names_its_request_only_when_it_is_known() -> None:
    assert error_body("api_error", "m") == {"type": "error", "error": {"type": "api_error", "message": "m"}}
    assert error_body("api_error", "m", "req_1")["request_id"] == "req_1"
