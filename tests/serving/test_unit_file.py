"""The unit for systemd, as far as can be told where no systemd runs."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.serving.rig import ROOT

UNIT = ROOT / ".deploy" / "messages-playground.service"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
def test_systemd_finds_no_fault_in_the_unit(tmp_path: Path) -> None:
    installed = re.sub(r"^ExecStart=\S+", f"ExecStart={sys.executable}", UNIT.read_text(), flags=re.MULTILINE)
    unit = tmp_path / UNIT.name
    unit.write_text(installed)
    verified = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(unit)], capture_output=True, text=True, check=False
    )
    assert (verified.returncode, verified.stderr) == (0, "")


def test_systemd_waits_longer_than_runs_may_take_to_end() -> None:
    settings = (ROOT / "playground" / "settings.py").read_text()
    drain = re.search(r'"PLAYGROUND_DRAIN", ([\d.]+)', settings)
    stop = re.search(r"TimeoutStopSec=(\d+)", UNIT.read_text())
    assert drain is not None
    assert stop is not None
    assert float(stop[1]) > float(drain[1])
