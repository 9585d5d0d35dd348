"""Pages that follow the log over a websocket connect again when they lose it, and show what they missed meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.urls import reverse

from accounts.login_sessions import end_all
from playground.serving.protocols import Socket
from playground.sockets.close_codes import SERVER_RESTARTS
from tests.sessions.scripted_agent import Agent
from tests.sessions.stored import StoredSession
from tests.support import runs
from tests.support.browser import expect

if TYPE_CHECKING:
    from accounts.models import User

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.front_end]


@pytest.fixture
def cut(served: Any) -> Any:
    """Close all websockets from the server's side; there must be one."""

    def close_all() -> None:
        sockets = [each for each in served.server.connections if isinstance(each, Socket)]
        open_now = [each for each in sockets if each.state == Socket.STATE_OPEN]
        for each in open_now:
            each.serverClose(code=SERVER_RESTARTS)
        assert open_now

    return lambda: served.server.call(close_all)


def store_unheard(owner: User) -> str:
    """A request that no socket tells of, as those that end while a page is cut off."""
    return str(runs.store(runs.tell(runs.live_run(owner))).pk)


def test_the_log_is_live_again_and_has_the_lines_that_it_missed(
    page: Any, live_url: str, log_in: Any, owner: User, cut: Any
) -> None:
    log_in(page, owner)
    known = store_unheard(owner)
    page.goto("/requests/")
    expect(page.locator("[data-live-tag]")).to_be_visible()
    page.locator(f"#run-{known} .pick input").check()
    missed = store_unheard(owner)
    for _ in range(2):  # it connects again as often as it is cut
        cut()
        expect(page.locator(f"#run-{missed}")).to_have_count(1)
        expect(page.locator("[data-live-tag]")).to_be_visible()
        expect(page.locator(f"#run-{known} .pick input")).to_be_checked()
        missed = store_unheard(owner)


@pytest.mark.slow
def test_recent_requests_on_the_playground_have_the_lines_that_they_missed(
    page: Any, live_url: str, log_in: Any, owner: User, cut: Any
) -> None:
    log_in(page, owner)
    known = store_unheard(owner)
    page.goto("/")
    expect(page.locator(f"#recent-requests [data-run-id='{known}']")).to_have_count(1)
    missed = store_unheard(owner)
    cut()
    expect(page.locator(f"#recent-requests [data-run-id='{missed}']")).to_have_count(1)


@pytest.mark.slow
def test_the_list_of_sessions_is_live_again_and_has_the_session_that_it_missed(
    page: Any, live_url: str, log_in: Any, owner: User, cut: Any
) -> None:
    log_in(page, owner)
    page.goto(reverse("sessions"))
    expect(page.locator("[data-live-tag]")).to_be_visible()
    session = StoredSession(owner)
    Agent(session, "Dates in invoices shift by a day.").turns(2)
    cut()
    expect(page.locator(f"#session-{session.stored.pk}")).to_have_count(1)
    expect(page.locator("[data-live-tag]")).to_be_visible()


@pytest.mark.slow
def test_a_session_has_the_steps_that_its_page_missed(
    page: Any, live_url: str, log_in: Any, owner: User, cut: Any
) -> None:
    log_in(page, owner)
    session = StoredSession(owner)
    agent = Agent(session, "Dates in invoices shift by a day.")
    agent.turns(2)
    page.goto(reverse("session", args=[session.stored.pk]))
    expect(page.locator("[data-session][data-connected]")).to_have_count(1)
    before = len(session.steps)
    agent.turns(1)
    assert len(session.steps) > before
    cut()
    expect(page.get_by_text(f"of {len(session.steps)}").first).to_be_visible()
    expect(page.locator("[data-session][data-connected]")).to_have_count(1)


@pytest.mark.slow
def test_a_page_whose_session_ended_does_not_connect_again(page: Any, live_url: str, log_in: Any, owner: User) -> None:
    log_in(page, owner)
    page.goto("/requests/")
    expect(page.locator("[data-live-tag]")).to_be_visible()
    page.evaluate("""() => {
      window.opened = 0
      const Plain = WebSocket
      window.WebSocket = class extends Plain { constructor(...all) { super(...all); window.opened += 1 } }
    }""")
    end_all(owner)
    expect(page.locator("[data-live-tag]")).to_be_hidden()
    page.evaluate("() => window.dispatchEvent(new Event('online'))")
    assert page.evaluate("() => window.opened") == 0
