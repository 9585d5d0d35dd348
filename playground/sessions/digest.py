"""Makes the digest of a request body for sessions: a hash, a size and a kind of every block, in the order of the
prompt.

The prompt cache reads tools, then system, then messages, so that is the order here. A cache mark is no content: moving
one changes no hash. A text given as a string is the same content as one text block, and hashes alike.
"""

from __future__ import annotations

import json
import marshal
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import blake2b
from typing import Any, Literal

from playground.protocol.catalogue.block_types import block_type
from playground.protocol.foreign_text import truncated, without_controls

Section = Literal["tools", "system", "messages"]
SECTIONS: tuple[Section, ...] = ("tools", "system", "messages")
HASH_BYTES = 8
CHARACTERS_PER_TOKEN = 3.7  # the vendor's documentation gives 3.5 to 4 for English text
IMAGE_TOKENS = 1_000  # of an image whose size is not looked at
LABEL_CHARACTERS = 80
_VALUE_CHARACTERS = 200
# Members outside tools, system and messages whose change spoils cached content, by the section from which on it does.
PARAMETERS: dict[str, Section] = {"speed": "system", "tool_choice": "messages", "thinking": "messages"}
_MAIN_ARGUMENTS = ("file_path", "path", "notebook_path", "command", "pattern", "query", "url", "description", "prompt")


@dataclass(frozen=True, slots=True)
class Block:
    """One tool, system block or content block. `tokens` is an estimate; images take `image_tokens` of it."""

    hash: bytes
    section: Section
    role: str
    kind: str
    size: int  # bytes of its JSON
    tokens: int
    image_tokens: int = 0
    starts_message: bool = False
    label: str = ""  # a tool's name, a call with its main argument, or the first words of a text


@dataclass(frozen=True, slots=True)
class Mark:
    """A cache mark behind block number `at`, counted over the whole prompt. `ttl` is "5m" or "1h"."""

    at: int
    ttl: str


# The blocks of one part of a prompt, and place and TTL of each mark behind one of them.
Made = tuple[tuple[Block, ...], tuple[tuple[int, str], ...]]


@dataclass(frozen=True)
class Digest:
    """One request body. `parameters`: the short JSON of those members that spoil cached content when they change."""

    blocks: tuple[Block, ...] = ()
    marks: tuple[Mark, ...] = ()
    parameters: Mapping[str, str] = field(default_factory=dict)
    first_texts: tuple[bytes, ...] = ()  # hashes of the first message's texts, one of which may be a call's prompt
    prompt: str = ""  # the first words that a person said

    @cached_property
    def hashes(self) -> bytes:
        return b"".join([block.hash for block in self.blocks])

    @cached_property
    def _counts(self) -> dict[str, int]:
        return Counter([block.section for block in self.blocks])

    def count(self, section: Section) -> int:
        return self._counts[section]

    def section(self, name: Section) -> bytes:
        """The hashes of one section."""
        first = sum(self._counts[each] for each in SECTIONS[: SECTIONS.index(name)])
        return self.hashes[first * HASH_BYTES : (first + self._counts[name]) * HASH_BYTES]


@dataclass(frozen=True, slots=True)
class Call:
    """A tool call in an answer: its main argument in words, and the hash of a prompt given to another agent."""

    name: str
    argument: str = ""
    id: str = ""
    prompt: bytes = b""
    agent: str = ""


def digest_of(body: Any, *, betas: str = "", with_text: bool = True) -> Digest:
    """The digest of a parsed body. Never raises; what has an odd shape is hashed as it is.

    `betas` is the request's `anthropic-beta` header. Without `with_text` no word of the content is kept.
    """
    if not isinstance(body, Mapping):
        return Digest()
    blocks: list[Block] = []
    marks: list[Mark] = []
    for section, part in _prompt(body):
        made, marked = _seen.blocks(section, part) if with_text else _blocks_in(section, part, with_text=False)
        if marked:
            marks.extend(Mark(len(blocks) + at, ttl) for at, ttl in marked)
        blocks += made
    if blocks and (ttl := _ttl(body)) and (not marks or marks[-1].at != len(blocks) - 1):
        marks.append(Mark(len(blocks) - 1, ttl))
    parameters = {name: _short_json(body[name]) for name in PARAMETERS if body.get(name) is not None}
    output = body.get("output_config")
    if isinstance(output, Mapping) and output.get("format") is not None:
        parameters["output_config.format"] = _short_json(output["format"])
    if betas:
        parameters["anthropic-beta"] = ",".join(sorted(part.strip() for part in betas.split(",") if part.strip()))
    return Digest(
        tuple(blocks), tuple(marks), parameters, tuple(_first_texts(body)), _prompt_words(body) if with_text else ""
    )


def calls_in(message: Any, *, with_text: bool = True) -> list[Call]:
    """The tool calls of an answer."""
    calls = []
    for block in _content(message):
        if isinstance(block, Mapping) and block_type(block.get("type")).takes_input:
            arguments = block.get("input") if isinstance(block.get("input"), Mapping) else {}
            assert isinstance(arguments, Mapping)
            prompt = arguments.get("prompt")
            agent = arguments.get("description") or arguments.get("subagent_type") or ""
            calls.append(
                Call(
                    clean(block.get("name")),
                    main_argument(arguments) if with_text else "",
                    clean(block.get("id")),
                    text_hash(prompt) if isinstance(prompt, str) else b"",
                    clean(agent) if with_text else "",
                )
            )
    return calls


def main_argument(arguments: Mapping[str, Any]) -> str:
    """The argument that says most of a call: a path, a command, a pattern; else the first text among them."""
    named = [arguments.get(name) for name in _MAIN_ARGUMENTS]
    texts = [value for value in (*named, *arguments.values()) if isinstance(value, str) and value.strip()]
    return clean(texts[0]) if texts else ""


def first_words(message: Any) -> str:
    """The beginning of an answer's text, on one line."""
    for block in _content(message):
        if isinstance(block, Mapping) and block.get("type") == "text" and clean(block.get("text")):
            return clean(block["text"])
    return ""


def clean(value: Any, most: int = LABEL_CHARACTERS) -> str:
    """Foreign text as a short label: one line, no control characters, no half surrogates."""
    if not isinstance(value, str):
        return ""
    return truncated(without_controls(" ".join(value[: most * 8].split())), most)


def text_hash(text: str) -> bytes:
    return _hash(text.strip())


def part_of(block: Block) -> str:
    """Return which part of the context a block fills."""
    if block.section != "messages":
        return block.section
    return block_type(block.kind).context_part or ("answers" if block.role == "assistant" else "user text")


def _prompt(body: Mapping[str, Any]) -> Iterator[tuple[Section, Any]]:
    """Every tool, system block and message, with its section."""
    for tool in _list(body.get("tools")):
        yield "tools", tool
    for block in _blocks(body.get("system")):
        yield "system", block
    for message in _list(body.get("messages")):
        yield "messages", message


def _blocks_in(section: Section, part: Any, *, with_text: bool = True) -> Made:
    """The blocks of one tool, system block or message, and the places and TTLs of the marks behind them."""
    if section != "messages":
        values, role = [part], ""
    elif isinstance(part, Mapping):
        values, role = _blocks(part.get("content")), str(part.get("role"))
    else:
        values, role = [part], ""
    made = tuple(
        _block(section, role, value, starts_message=section == "messages" and number == 0, with_text=with_text)
        for number, value in enumerate(values)
    )
    marked = tuple((at, ttl) for at, value in enumerate(values) if (ttl := _ttl_within(value)))
    return made, marked


class _Seen:
    """The blocks of the parts that were digested last: all but the newest messages of a request were in the one
    before. A part is known by the hash of its bytes in Python's own format, which tells `1` from `true`.

    Two generations: what is asked for again stays, the rest goes when the younger one is full. No lock is needed: each
    step is one operation of a dict, and losing a part costs making it again.
    """

    def __init__(self, most: int = 20_000) -> None:
        self._most = most // 2
        self._young: dict[tuple[Section, int, int], Made] = {}
        self._old: dict[tuple[Section, int, int], Made] = {}

    def blocks(self, section: Section, part: Any) -> Made:
        try:
            data = marshal.dumps(part, 2)
        except ValueError:  # nested too deeply
            return _blocks_in(section, part)
        key = section, hash(data), len(data)
        made = self._young.get(key)
        if made is None:
            made = self._young[key] = self._old.get(key) or _blocks_in(section, part)
            if len(self._young) > self._most:
                self._old, self._young = self._young, {}
        return made


_seen = _Seen()


def messages_with_blocks(body: Mapping[str, Any]) -> list[Any]:
    """The messages that have a block in a digest, so that the n-th `starts_message` is the n-th of these."""
    return [
        message
        for message in _list(body.get("messages"))
        if not isinstance(message, Mapping) or _blocks(message.get("content"))
    ]


def _block(section: Section, role: str, value: Any, *, starts_message: bool, with_text: bool) -> Block:
    text = _dump(_unmarked(value))
    kind = value.get("type") if isinstance(value, Mapping) else None
    kind = kind if isinstance(kind, str) else ("custom" if section == "tools" else "")
    images, image_characters = _images(value)
    tokens = int((len(text) - image_characters) / CHARACTERS_PER_TOKEN) + images * IMAGE_TOKENS
    return Block(
        _hash(f"{section}\0{role}\0{int(starts_message)}\0{text}"),
        section,
        clean(role, 20),
        clean(kind, 60),
        len(text.encode("utf-8", "surrogatepass")),
        max(tokens, 1),
        images * IMAGE_TOKENS,
        starts_message,
        _label(section, value) if with_text else "",
    )


def _label(section: Section, value: Any) -> str:
    if not isinstance(value, Mapping):
        return clean(value)
    if section == "tools":
        return clean(value.get("name") or value.get("type"))
    type_ = block_type(value.get("type"))
    if type_.takes_input:
        arguments = value.get("input")
        return clean(f"{value.get('name')} {main_argument(arguments) if isinstance(arguments, Mapping) else ''}")
    if type_.context_part == "tool results":
        return clean(value.get("tool_use_id"))
    return clean(value.get("text"))


def _images(value: Any) -> tuple[int, int]:
    """Return how many base64 images a block holds, and how many characters their bytes take."""
    if not isinstance(value, Mapping):
        return 0, 0
    source = value.get("source")
    if value.get("type") == "image":
        data = source.get("data") if isinstance(source, Mapping) else None
        return 1, len(data) if isinstance(data, str) else 0
    within = [_images(each) for each in _list(value.get("content"))]
    return sum(count for count, _ in within), sum(size for _, size in within)


def _ttl_within(value: Any) -> str | None:
    """The mark of a block, or of a block inside of it: a tool's result may carry the mark in its content."""
    if not isinstance(value, Mapping):
        return None
    if ttl := _ttl(value):
        return ttl
    return next((ttl for each in reversed(_list(value.get("content"))) if (ttl := _ttl_within(each))), None)


def _ttl(marked: Mapping[str, Any]) -> str | None:
    mark = marked.get("cache_control")
    if not isinstance(mark, Mapping):
        return None
    return "1h" if mark.get("ttl") == "1h" else "5m"


def _unmarked(value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    bare = {name: each for name, each in value.items() if name != "cache_control"}
    if isinstance(bare.get("content"), list):
        bare["content"] = [_unmarked(each) for each in bare["content"]]
    return bare


def _first_texts(body: Mapping[str, Any]) -> Iterator[bytes]:
    for message in _list(body.get("messages"))[:1]:
        for block in _blocks(message.get("content") if isinstance(message, Mapping) else None):
            if isinstance(block, Mapping) and isinstance(block.get("text"), str):
                yield text_hash(block["text"])


def _prompt_words(body: Mapping[str, Any]) -> str:
    """Return the first words that a person said: not a note of the client's own, such as <system-reminder>.

    An agent's request with tools begins with that. Without tools it may begin with examples and files, as aider's does:
    there it is in the newest message, with instructions of aider's own behind it.
    """
    messages, first = _list(body.get("messages")), ""
    for message in messages if body.get("tools") else reversed(messages):
        for text in _said_by_user(message):
            if not text.startswith("<"):
                return clean(text.partition("\n\n")[0])
            first = first or text
    return clean(first)


def _said_by_user(message: Any) -> Iterator[str]:
    if isinstance(message, Mapping) and message.get("role") == "user":
        for block in _blocks(message.get("content")):
            text = block.get("text") if isinstance(block, Mapping) else None
            if isinstance(text, str) and (words := text.lstrip()):
                yield words


def _content(message: Any) -> list[Any]:
    return _list(message.get("content")) if isinstance(message, Mapping) else []


def _blocks(content: Any) -> list[Any]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else _list(content)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _short_json(value: Any) -> str:
    return clean(_dump(value), _VALUE_CHARACTERS)


def _dump(value: Any) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)
    except (ValueError, RecursionError):
        return repr(type(value))


def _hash(text: str) -> bytes:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=HASH_BYTES).digest()
