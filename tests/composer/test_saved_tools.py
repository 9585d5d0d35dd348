"""Tools that a user keeps: saved once, never one in another's place, and nobody else's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.urls import reverse

from playground.models import SavedTool, saved_tool
from playground.models.storage_quota import StorageQuotaError
from tests.support.drafting import HELLO, begin, body

if TYPE_CHECKING:
    from django.test import Client

    from accounts.models import User

pytestmark = pytest.mark.django_db
TOOL = {"name": "get_weather", "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}}}


def names(user: User) -> list[str]:
    return list(SavedTool.objects.owned_by(user).values_list("name", flat=True))


def post(client: Client, name: str, **fields: str) -> Any:
    from playground.models import Draft

    posted = {":version": Draft.objects.get().version, ":mode": "form", **{f":{key}": fields[key] for key in fields}}
    return client.post(reverse(name), posted)


def test_a_definition_is_kept_once_and_another_of_its_name_beside_it(owner: User) -> None:
    first, is_new = SavedTool.objects.keep(owner, TOOL)
    assert is_new
    assert SavedTool.objects.keep(owner, TOOL) == (first, False)
    SavedTool.objects.keep(owner, TOOL | {"description": "Another one"})
    assert names(owner) == ["get_weather", "get_weather 2"]


def test_there_is_an_end_to_how_many_and_how_large(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saved_tool, "MOST", 1)
    SavedTool.objects.keep(owner, TOOL)
    with pytest.raises(StorageQuotaError, match="At most 1 tools"):
        SavedTool.objects.keep(owner, TOOL | {"description": "x"})
    monkeypatch.setattr(saved_tool, "MOST", 5)
    with pytest.raises(StorageQuotaError, match="256 KB"):
        SavedTool.objects.keep(owner, TOOL | {"description": "x" * 300_000})


def test_a_tool_is_saved_from_the_form_and_put_into_another_request(client: Client, owner: User) -> None:
    client.force_login(owner)
    begin(client, HELLO | {"tools": [TOOL]})
    saved = post(client, "draft-tool-save", path="tools[0]")
    assert "Saved the tool as" in saved["HX-Trigger"]
    assert 'data-insert-tool="' in saved.content.decode()  # offered at once
    tool = SavedTool.objects.get()
    post(client, "draft-tool-insert", tool=str(tool.pk))
    assert [each["name"] for each in body()["tools"]] == ["get_weather", "get_weather_2"]
    assert body()["tools"][1]["input_schema"] == TOOL["input_schema"]
    again = post(client, "draft-tool-save", path="tools[0]")
    assert "saved already" in again["HX-Trigger"]
    assert b"no longer there" in post(client, "draft-tool-save", path="tools[9]").content


def test_a_tool_is_renamed_deleted_and_brought_back(client: Client, owner: User) -> None:
    client.force_login(owner)
    tool, _ = SavedTool.objects.keep(owner, TOOL)
    SavedTool.objects.keep(owner, TOOL | {"name": "other"})
    client.post(reverse("saved-tool-rename", args=[tool.pk]), {"name": " Weather "})
    assert names(owner) == ["Weather", "other"]
    taken = client.post(reverse("saved-tool-rename", args=[tool.pk]), {"name": "other"})
    assert (taken.status_code, "There is a tool named “other” already" in taken.content.decode()) == (422, True)
    assert client.post(reverse("saved-tool-rename", args=[tool.pk]), {"name": "  "}).status_code == 422
    assert client.get(reverse("saved-tools")).status_code == 200  # of tools without a description or a type
    gone = client.post(reverse("saved-tool-delete", args=[tool.pk]), follow=True).content.decode()
    assert "“Weather” was deleted" in gone
    assert names(owner) == ["other"]
    client.post(reverse("saved-tool-undelete", args=[tool.pk]))
    assert names(owner) == ["Weather", "other"]


def test_what_was_deleted_a_day_ago_is_gone_for_good(client: Client, owner: User) -> None:
    client.force_login(owner)
    SavedTool.objects.keep(owner, TOOL)
    SavedTool.objects.update(deleted_at="2026-01-01T00:00Z")
    client.get(reverse("saved-tools"))
    assert not SavedTool.objects.exists()


def test_another_users_tool_is_not_there(client: Client, owner: User, stranger: User) -> None:
    tool, _ = SavedTool.objects.keep(stranger, TOOL)
    client.force_login(owner)
    begin(client, HELLO)
    assert post(client, "draft-tool-insert", tool=str(tool.pk)).status_code == 404
    assert client.post(reverse("saved-tool-delete", args=[tool.pk])).status_code == 404
    assert "get_weather" not in client.get(reverse("saved-tools")).content.decode()


def test_visitors_are_told_where_tools_are_kept(client: Client) -> None:
    begin(client, HELLO | {"tools": [TOOL]})
    page = client.get(reverse("playground")).content.decode()
    assert "Log in to save tools" in page
    assert "data-save-tool=" not in page
    assert client.post(reverse("draft-tool-save"), {":path": "tools[0]"}).status_code == 302
