"""An Accept of `text/event-stream` was the default and meant that nobody had chosen one. That is "" from here on."""

from typing import Any

from django.db import migrations, models

WAS_DEFAULT = "text/event-stream"


def forget_default(apps: Any, schema_editor: Any) -> None:
    apps.get_model("playground", "Draft").objects.filter(accept=WAS_DEFAULT).update(accept="")
    versions = apps.get_model("playground", "ConversationVersion").objects
    for version in versions.filter(settings__contains=WAS_DEFAULT).only("settings").iterator(200):
        if version.settings.get("accept") == WAS_DEFAULT:
            version.settings["accept"] = ""
            version.save(update_fields=["settings"])


class Migration(migrations.Migration):
    dependencies = [("playground", "0015_saved_tools")]

    operations = [
        migrations.AlterField(
            model_name="draft", name="accept", field=models.CharField(blank=True, default="", max_length=128)
        ),
        migrations.RunPython(forget_default, migrations.RunPython.noop, elidable=True),
    ]
