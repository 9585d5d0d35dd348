"""A page that no longer needs a websocket closes it without an error in the console, even before it is open."""

from __future__ import annotations

from typing import Any

CLOSED_AT_ONCE = """async (address) => {
  const { closeSocket } = await import("/static/js/lib/close-socket.js")
  const socket = new WebSocket(new URL(address, location.href.replace(/^http/, "ws")))
  const closed = new Promise((resolve) => socket.addEventListener("close", resolve))
  const before = socket.readyState
  closeSocket(socket)
  await closed
  return [before, socket.readyState]
}"""

RUN_CLOSED_AT_ONCE = """async (address) => {
  const { RunSocket } = await import("/static/js/answer/socket.js")
  const told = []
  const socket = new RunSocket(address, { frame: () => told.push("frame"), state: (state) => told.push(state) })
  socket.close()
  await new Promise((resolve) => setTimeout(resolve, 700)) // longer than a socket takes to be called live
  return told
}"""


def address_of_a_run(page: Any) -> str:
    page.goto("/")
    page.locator("#try-it").click()
    panel = page.locator("#answer [data-run][data-state='completed']")
    panel.wait_for()
    return f"/ws/runs/{panel.get_attribute('data-run')}/"


def test_a_socket_that_is_closed_while_it_connects_closes_once_it_is_open(page: Any) -> None:
    assert page.evaluate(CLOSED_AT_ONCE, address_of_a_run(page)) == [0, 3]  # connecting, closed


def test_nothing_is_drawn_of_a_run_whose_panel_was_replaced_at_once(page: Any) -> None:
    assert page.evaluate(RUN_CLOSED_AT_ONCE, address_of_a_run(page)) == []
