"""How long frames are gathered."""

from __future__ import annotations

from playground.sockets.frame_rate import CROWD_LONGEST_S, FEW, LONGEST_S, LoopLag


def lag_with(users: int, *late_s: float) -> LoopLag:
    lag = LoopLag()
    lag._users = users
    for each in late_s:
        lag.note(each)
    return lag


def test_an_idle_process_with_few_sockets_does_not_gather() -> None:
    assert lag_with(FEW).window_s == 0
    assert lag_with(1, 0.001, 0.001).window_s == 0


def test_a_crowd_gathers_and_never_longer_than_the_limit() -> None:
    assert 0 < lag_with(50).window_s < lag_with(90).window_s <= CROWD_LONGEST_S
    assert lag_with(10_000).window_s == CROWD_LONGEST_S
    assert lag_with(10_000, 5.0).window_s == LONGEST_S


def test_lag_is_believed_quickly_and_forgotten_slowly() -> None:
    lag = lag_with(1)
    lag.note(0.04)
    risen = lag.window_s
    assert risen > 0.05
    lag.note(0.0)
    assert lag.window_s > risen * 0.9
    for _ in range(100):
        lag.note(0.0)
    assert lag.window_s == 0
