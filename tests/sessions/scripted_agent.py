"""A scripted agent: it sends what agents send, and a model of the prompt cache answers with the token counts."""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass, field
from typing import Any

from playground.sandbox.prompt_cache import PromptCache
from playground.sessions.causes import Miss, misses_of
from playground.sessions.digest import Block, calls_in, digest_of, first_words
from playground.sessions.steps import Step
from playground.sessions.threads import Threads, threads_of

MARK = {"cache_control": {"type": "ephemeral"}}
LONG = "A long instruction that is the same for every request. " * 120


def tool(name: str) -> dict[str, Any]:
    return {"name": name, "description": f"{name} does its work. " * 20, "input_schema": {"type": "object"}}


@dataclass
class Server:
    """Answers any body with the counts of the sandbox's prompt cache, at a time that the test sets."""

    now: float = 1_000.0
    cache: PromptCache = field(init=False)

    def __post_init__(self) -> None:
        self.cache = PromptCache(lambda: self.now)

    def forget_everything(self) -> None:
        self.cache = PromptCache(lambda: self.now)


@dataclass
class Session:
    """Every request of a session, with the blocks they hold."""

    server: Server = field(default_factory=Server)
    steps: list[Step] = field(default_factory=list)
    blocks: dict[bytes, Block] = field(default_factory=dict)

    def send(
        self,
        body: dict[str, Any],
        answer: list[dict[str, Any]],
        *,
        status: int = 200,
        took_s: float = 2.0,
        wait_s: float = 3.0,
        betas: str = "",
        is_count: bool = False,
        **changes: Any,
    ) -> Step:
        digest = digest_of(json.loads(json.dumps(body)), betas=betas)
        self.blocks.update({block.hash: block for block in digest.blocks})
        usage = self.server.cache.use(body) if status == 200 and not is_count else None
        message = {"content": answer}
        step = Step(
            id=f"{len(self.steps):04}",
            started_s=self.server.now,
            ended_s=self.server.now + took_s,
            model=body["model"],
            state="completed" if status == 200 else "failed",
            status=status,
            hashes=digest.hashes,
            tools=digest.count("tools"),
            system=digest.count("system"),
            marks=digest.marks,
            parameters=digest.parameters,
            first_texts=digest.first_texts,
            input_tokens=usage.input_tokens if usage else None,
            written_tokens=sum(usage.written.values()) if usage else None,
            written_1h_tokens=usage.written.get("1h", 0) if usage else 0,
            read_tokens=usage.read if usage else None,
            output_tokens=50 if usage else None,
            calls=tuple(calls_in(message)) if status == 200 else (),
            words=first_words(message),
            is_count=is_count,
            **changes,
        )
        self.steps.append(step)
        self.server.now += took_s + wait_s
        return step

    def threads(self) -> Threads:
        return threads_of(self.steps)

    def misses(self) -> list[Miss]:
        return misses_of(self.threads(), self.blocks)

    def causes(self) -> list[str]:
        return [miss.cause for miss in self.misses()]


class Agent:
    """Keeps a conversation as coding agents do: marks on the system prompt and on the newest message."""

    def __init__(self, session: Session, prompt: str = "Fix the bug", model: str = "claude-sonnet-4-5") -> None:
        self.session = session
        self.model = model
        self.system = [{"type": "text", "text": LONG}, {"type": "text", "text": "branch: main", **MARK}]
        self.tools = [tool(name) for name in ("Read", "Edit", "Bash", "Agent")]
        self.messages: list[dict[str, Any]] = [{"role": "user", "content": [{"type": "text", "text": prompt}]}]
        self.extra: dict[str, Any] = {}
        self.ttl: dict[str, Any] = {}

    def body(self) -> dict[str, Any]:
        messages = copy.deepcopy(self.messages)
        messages[-1]["content"][-1].update(copy.deepcopy(MARK))
        messages[-1]["content"][-1]["cache_control"].update(self.ttl)
        return {
            "model": self.model, "max_tokens": 4096, "system": copy.deepcopy(self.system), "tools": self.tools,
            "messages": messages, **self.extra,
        }  # fmt: skip

    def ask(self, answer: list[dict[str, Any]] | None = None, **options: Any) -> Step:
        number = len(self.messages)
        answer = answer or [
            {"type": "text", "text": f"Looking at it ({number})."},
            {"type": "tool_use", "id": f"toolu_{number}", "name": "Read", "input": {"file_path": f"src/{number}.py"}},
        ]
        step = self.session.send(self.body(), answer, **options)
        if step.is_answered:
            self.messages.append({"role": "assistant", "content": answer})
        return step

    def results(self, text: str = "some lines of a file " * 30) -> None:
        calls = [block for block in self.messages[-1]["content"] if block["type"] == "tool_use"]
        content = [{"type": "tool_result", "tool_use_id": call["id"], "content": text} for call in calls]
        self.messages.append({"role": "user", "content": content or [{"type": "text", "text": "Go on."}]})

    def turns(self, count: int) -> None:
        for _ in range(count):
            self.ask()
            self.results()
