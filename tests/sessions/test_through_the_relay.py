"""A scripted agent with the official client, through the real relay to the sandbox: what becomes a session."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import anthropic
import pytest

from accounts.models import AccessKey, User
from playground.models import AgentSession
from playground.recording.session_loading import load
from playground.session_log.page import SessionPage
from tests.sessions.scripted_agent import LONG, MARK, tool

pytestmark = pytest.mark.django_db(transaction=True)
MODEL = "sandbox-stories"


@pytest.fixture
def client(live_url: str, owner: User) -> Any:
    secret = AccessKey.objects.issue(owner=owner, name="laptop")[1]
    with anthropic.Anthropic(base_url=live_url, api_key=secret, max_retries=0) as client:
        yield client


class Conversation:
    """Asks turn after turn, with marks on the system prompt and on the newest message, as coding agents do."""

    def __init__(self, client: anthropic.Anthropic, prompt: str) -> None:
        self.client = client
        self.system = [{"type": "text", "text": LONG * 3}, {"type": "text", "text": f"task: {prompt}", **MARK}]
        self.messages: list[dict[str, Any]] = [{"role": "user", "content": [{"type": "text", "text": prompt}]}]

    def turn(self) -> None:
        *before, last = self.messages
        marked = {**last, "content": [*last["content"][:-1], {**last["content"][-1], **MARK}]}
        answer = self.client.messages.create(
            model=MODEL, max_tokens=60, system=self.system, tools=[tool("Read")], messages=[*before, marked],
            metadata={"user_id": "user_1_account__session_relay-test"},
        )  # fmt: skip
        self.messages.append({"role": "assistant", "content": [{"type": "text", "text": answer.content[0].text}]})
        self.messages.append({"role": "user", "content": [{"type": "text", "text": "Go on."}]})


def test_a_growing_agent_and_a_parallel_one_are_two_lanes_of_one_session(
    client: anthropic.Anthropic, served: Any
) -> None:
    from playground.dispatch import process

    agents = [Conversation(client, "Fix the bug."), Conversation(client, "Find every caller.")]
    for _ in range(3):
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(Conversation.turn, agents))
    agents[0].system[1]["text"] = "task: another branch"
    agents[0].turn()
    served.server.call(lambda: process.current().recorder.settle())
    session = AgentSession.objects.get()
    page = SessionPage(load(session))
    assert (session.client_id, session.request_count) == ("relay-test", 7)
    assert sorted(len(thread.steps) for thread in page.threads) == [3, 4]
    causes = [each.miss.cause for each in page.misses if not each.miss.is_expected]
    assert causes == ["system_changed"]
