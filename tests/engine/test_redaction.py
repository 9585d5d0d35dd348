"""What an upstream says of the values it was sent: secrets never come out, and nothing else changes."""

from __future__ import annotations

import base64
import json
from itertools import pairwise
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.engine.redaction import Redaction
from playground.engine.upstream import Upstream, build
from playground.protocol.stream import sse
from tests.support.examples import examples

HEX = "9f86d081884c7d659a2feaa0c55ad015"
BASE64 = "q7/Zt+1Lw0aXy9Vb3Kd/uE5+RmPz2g=="
MIXED = "f3A9x07Qm2LrT8sVb1KcZ5nD"
LOWER = "xkqvzjwpfthgbnrdmqlcxvbw"
UUID = "3f2a8c1e-7b4d-4e9a-a6f1-0d5c2b8e7f43"
ISSUED = f"sk-ant-api03-{MIXED}"
PASSWORD = base64.b64encode(f"gateway:{MIXED}".encode()).decode()
BASE32 = "K5SGK4TFMNZUS3DFPF7GQ2LT"
SECRETS = [HEX, BASE64, MIXED, LOWER, UUID, ISSUED, BASE32, f"ghp_{MIXED}", f"gw_live_{HEX}"]

# What may stand in any answer, whoever sent it in a header that is marked as secret, or for a key.
HARMLESS = [
    "sk-ant-your-key-here",
    "sk-ant-api03-your-key-goes-here",
    "sk-xxxxxxxxxxxxxxxxxxxxxxxx",
    "sk_test_your_secret_key_here",
    "sk-my-litellm-master-key",
    "sk-1234",
    "changeme",
    "changeme-changeme-changeme",
    "changeme123changeme123changeme123",
    "********",
    "************************",
    "x-api-key",
    "authorization-bearer-token",
    "not-needed-for-this-server",
    "lm-studio",
    "EMPTY",
    "none",
    "0000000000000000000000000000",
    "1234567890123456789012345678",
    "0123456789abcdef0123456789abcdef",
    "abcdefghijklmnopqrstuvwxyz",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab",
    "deadbeefdeadbeefdeadbeefdeadbeef",
    "Team Playground",
    "assistant",
    "production-environment-for-everybody",
    "internationalisation-of-the-organisation",
    "donaudampfschifffahrtsgesellschaft",
    "Kraftfahrzeughaftpflichtversicherung",
    "rindfleischetikettierungsueberwachungsaufgabenuebertragungsgesetz",
    "geschwindigkeitsbegrenzung",
    "lebensversicherungsgesellschaft",
    "Staatsvertragsabschlussgespraechsprotokoll",
    "hottentottententoonstelling",
    "arbejdsmarkedsuddannelsescenter",
    "lentokonesuihkuturbiinimoottoriapumekaanikko",
    "anticonstitutionnellement",
    "pneumonoultramicroscopicsilicovolcanoconiosis",
    "postgresqlconnectionstring",
    "key-management-2026-01-01",
    "patentanwaltskanzlei-am-hauptbahnhof",
    "skandinavischer-verband-der-verlage",
    "api.eu-west-1.corp.internal:8443",
    "ip-10-0-3-44.eu-west-1.compute.internal",
    "payments-api-7d9f8b6c5d-x2x4z.cluster.local",
    "https://eu.gateway.example.com/v1/messages?beta=true",
    "2001:0db8:85a3:0000:0000:8a2e:0370:7334",
    "2026-11-30T05:25:10.123456+00:00",
    "20261130T052510Z-nightly",
    "build-20261130052510",
    "order-4711081512345",
    "run-1764480310123-of-team-7",
    "claude-haiku-4-5-20251001",
    "us.anthropic.claude-sonnet-4-20250514-v1:0",
    "Qwen/Qwen2.5-Coder-32B-Instruct-AWQ",
    "deepseek-ai/DeepSeek-R1-Distill-Qwen-32B-GGUF",
    "context-1m-2025-08-07,interleaved-thinking-2025-05-14",
    "messages-playground/1.2.3 (linux; x86_64)",
]
PICTURE = base64.b64encode(bytes(range(256)) * 6).decode()


def redaction_for(value: str, place: str) -> Redaction:
    """For a connection that has this value as its credential, or as a header that is marked as secret."""
    headers = {"x-gateway": value} if place == "header" else {}
    credential = value if place == "credential" else None
    return Redaction(build(Upstream("u", "http://h", credential=credential, default_headers=headers), "/").secrets)


def passed_on(redaction: Redaction, *pieces: bytes) -> bytes:
    return b"".join(redaction.feed(piece) for piece in pieces) + redaction.finish()


def event_of(text: str, kind: str = "text") -> bytes:
    delta = {"type": {"partial_json": "input_json"}.get(kind, kind) + "_delta", kind: text}
    return sse.encode("content_block_delta", json.dumps({"type": "content_block_delta", "index": 0, "delta": delta}))


def text_of(stream: bytes) -> str:
    """The text of all deltas in a row."""
    deltas = [json.loads(line[6:])["delta"] for line in stream.decode().splitlines() if line.startswith("data: ")]
    return "".join(value for delta in deltas for name, value in delta.items() if name != "type")


@pytest.mark.parametrize("place", ["credential", "header"])
@pytest.mark.parametrize("value", HARMLESS)
def test_an_answer_that_says_what_may_stand_anywhere_is_passed_on_as_it_came(value: str, place: str) -> None:
    answer = json.dumps({"content": [{"type": "text", "text": f"See {value}, and `{value}`."}]}).encode()
    deltas = [event_of(value[at : at + 3]) for at in range(0, len(value), 3)]
    for pieces in ([answer], [answer[:40], answer[40:]], deltas, [b"".join(deltas)]):
        assert passed_on(redaction_for(value, place), *pieces) == b"".join(pieces)


@pytest.mark.parametrize("secret", SECRETS)
def test_a_picture_in_base64_is_passed_on_as_it_came(secret: str) -> None:
    answer = json.dumps({"type": "image", "source": {"type": "base64", "data": PICTURE}}).encode()
    assert passed_on(redaction_for(secret, "credential"), answer[:700], answer[700:]) == answer


@pytest.mark.parametrize("place", ["credential", "header"])
@pytest.mark.parametrize("secret", SECRETS)
def test_a_secret_does_not_come_out_wherever_it_is_cut(secret: str, place: str) -> None:
    answer = f"You sent {secret}, twice: {secret}".encode()
    for cut in range(9, 9 + len(secret)):
        told = passed_on(redaction_for(secret, place), answer[:cut], answer[cut:])
        assert told == answer.replace(secret.encode(), b"*" * len(secret))


@pytest.mark.parametrize("spelled", [
    quote(BASE64, safe=""),
    quote(BASE64, safe="").replace("%2F", "%2f").replace("%2B", "%2b").replace("%3D", "%3d"),
    quote(BASE64),
    BASE64.replace("/", "\\/"),
    BASE64.replace("=", "\\u003d"),
    BASE64.replace("+", "\\u002B"),
    BASE64.replace("/", "\\u002f").replace("+", "\\u002b").replace("=", "\\u003d"),
    BASE64.replace("/", "\\u002F").replace("+", "\\u002B").replace("=", "\\u003D"),
])  # fmt: skip
def test_a_secret_does_not_come_out_as_json_or_an_address_spell_it(spelled: str) -> None:
    answer = f'{{"error":{{"message":"bad key {spelled}"}}}}'.encode()
    told = passed_on(redaction_for(BASE64, "credential"), answer[:30], answer[30:])
    assert told == answer.replace(spelled.encode(), b"*" * len(spelled))


def test_the_password_of_basic_authentication_does_not_come_out_either_way() -> None:
    redaction = redaction_for(f"Basic {PASSWORD}", "header")
    answer = f"Basic {PASSWORD} is gateway and {MIXED}".encode()
    told = passed_on(redaction, answer)
    assert told == f"Basic {'*' * len(PASSWORD)} is gateway and {'*' * len(MIXED)}".encode()


@pytest.mark.parametrize("kind", ["text", "thinking", "partial_json"])
@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, 11])
@pytest.mark.parametrize("secret", SECRETS)
def test_a_secret_that_a_stream_spells_delta_by_delta_does_not_come_out(secret: str, size: int, kind: str) -> None:
    text = f"Your key is {secret}, is it not?"
    events = [event_of(text[at : at + size], kind) for at in range(0, len(text), size)]
    for pieces in (events, [b"".join(events)]):
        told = passed_on(redaction_for(secret, "credential"), *pieces)
        said = text_of(told)
        assert secret[-8:] not in said
        assert said.replace("*", "") in {text.replace(secret, secret[:kept]) for kept in range(len(secret))}
        assert len(said) == len(text)
        assert len(told) == len(b"".join(events))


@given(
    cuts=st.lists(st.integers(1, 900), max_size=8),
    size=st.integers(1, 9),
    secret=st.sampled_from([BASE64, ISSUED, HEX]),
    before=st.text(st.sampled_from('a\\"/\n+ü'), max_size=9),
)
@examples(200)
def test_a_stream_that_spells_a_secret_stays_json_wherever_its_bytes_are_cut(
    cuts: list[int], size: int, secret: str, before: str
) -> None:
    text = f"{before}{secret}{before}"
    events = b"".join(event_of(text[at : at + size]) for at in range(0, len(text), size))
    places = [0, *sorted(min(cut, len(events)) for cut in cuts), len(events)]
    told = passed_on(redaction_for(secret, "header"), *(events[begin:end] for begin, end in pairwise(places)))
    said = text_of(told)
    assert len(said) == len(text)
    assert secret not in said
    assert said.startswith(before)
    assert said.endswith(before)


@pytest.mark.parametrize("beginning", [8, 13, 16])
def test_what_only_begins_like_a_key_is_passed_on_delta_by_delta(beginning: int) -> None:
    text = f"Keys look like {ISSUED[:beginning]}… and {ISSUED[:beginning]} or so."
    events = b"".join(event_of(text[at : at + 4]) for at in range(0, len(text), 4))
    assert passed_on(redaction_for(ISSUED, "credential"), events) == events
