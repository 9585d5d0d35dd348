"""Each check finds the fault it is there for, and nothing else is blamed for it."""

from __future__ import annotations

import pytest

from playground.conformance.check import Result
from playground.conformance.checks import BY_ID, CHECKS
from tests.conformance.broken_server import Server
from tests.conformance.check_faults import fault_of
from tests.support.examples import one_of_each

NOT_IN_THE_SANDBOX = {"headers.wrong_key", "headers.no_key"}  # it wants no key, so it refuses none


@pytest.fixture(scope="module")
def server() -> Server:
    return Server()


def depends_on(check_id: str, other: str) -> bool:
    return any(needed == other or depends_on(needed, other) for needed in BY_ID[check_id].depends)


def outcome(results: dict[str, Result], check_id: str) -> str:
    return f"{results[check_id].status}: {results[check_id].message}"


async def test_the_sandbox_passes_every_check_that_applies_to_it(server: Server) -> None:
    results = await server.results()
    others = {name: result.status for name, result in results.items() if result.status != "passed"}
    assert others == dict.fromkeys(NOT_IN_THE_SANDBOX, "unsupported")
    assert results.keys() == BY_ID.keys()


@pytest.mark.parametrize("check_id", one_of_each([check.id for check in CHECKS], lambda name: BY_ID[name].area))
async def test_a_server_with_one_fault_fails_one_check(server: Server, check_id: str) -> None:
    sound = await server.sound_results()
    results = await server.results(fault_of(check_id))
    assert results[check_id].status == "failed", outcome(results, check_id)
    assert results[check_id].message
    assert results[check_id].evidence is not None
    changed = {name for name in results if results[name].status != sound[name].status} - {check_id}
    unrelated = {name: outcome(results, name) for name in changed if not depends_on(name, check_id)}
    assert unrelated == {}
    assert {results[name].status for name in changed} <= {"skipped"}
