"""The move from SQLite to PostgreSQL, as the README describes it."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

from tests.serving.rig import ROOT, manage, post

QUESTION = {"model": "sandbox-echo", "max_tokens": 64, "messages": [{"role": "user", "content": "a zebra é \u0000x"}]}
COUNTS = (
    "from django.apps import apps; "
    "models = [m for m in apps.get_models() if m._meta.app_label in ('accounts', 'playground')]; "
    "print({m._meta.label: m.objects.count() for m in models})"
)
FIND = (
    "from playground.search import index, terms; from accounts.models import User; "
    "print(len(index.find(User.objects.get().pk, index.read_query('zebra'), most=10)))"
)


def commands_of_the_readme() -> list[list[str]]:
    text = (ROOT / "README.md").read_text()
    [block] = re.findall(r"```sh\n(python3 manage.py dumpdata .*?)```", text, re.DOTALL)
    joined = block.replace("\\\n", " ").splitlines()
    return [shlex.split(line) for line in joined if "manage.py" in line]


def test_everything_and_the_search_move_along(postgres: str, serve: Any, tmp_path: Path) -> None:
    serving = serve()
    url, key = serving.url(), serving.new_key()
    for _ in range(3):
        assert post(f"{url}v1/messages", json=QUESTION, headers={"x-api-key": key}).status_code == 200
    serving.end()
    data = serving.data
    before = manage(data, "shell", "--no-imports", "-c", COUNTS).stdout
    assert manage(data, "shell", "--no-imports", "-c", FIND).stdout.strip() == "3"
    for words in commands_of_the_readme():
        on_postgresql = {"PLAYGROUND_DATABASE_URL": postgres} if words[0].startswith("PLAYGROUND_DATABASE_URL=") else {}
        arguments = [word.replace("all.jsonl", str(tmp_path / "all.jsonl")) for word in words]
        manage(data, *arguments[arguments.index("manage.py") + 1 :], **on_postgresql)
    assert manage(data, "shell", "--no-imports", "-c", COUNTS, PLAYGROUND_DATABASE_URL=postgres).stdout == before
    assert manage(data, "shell", "--no-imports", "-c", FIND, PLAYGROUND_DATABASE_URL=postgres).stdout.strip() == "3"
    again = serve(PLAYGROUND_DATABASE_URL=postgres)
    answer = post(f"{again.url()}v1/messages", json=QUESTION, headers={"x-api-key": key})
    assert answer.status_code == 200
