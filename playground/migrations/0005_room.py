import re
import zlib

import django.utils.timezone
from django.db import migrations, models

REFERENCE = re.compile(r"attachment:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def remember_references(apps, _schema_editor):
    versions = apps.get_model("playground", "ConversationVersion").objects
    for key in list(versions.values_list("pk", flat=True)):
        text = zlib.decompress(bytes(versions.values_list("packed_body", flat=True).get(pk=key))).decode()
        if found := set(REFERENCE.findall(text)):
            versions.filter(pk=key).update(references=" ".join(sorted(found)))


class Migration(migrations.Migration):
    dependencies = [("playground", "0004_draft_columns")]

    operations = [
        migrations.AddField("attachment", "address", models.CharField(blank=True, max_length=45)),
        migrations.AddField("attachment", "used_at", models.DateTimeField(default=django.utils.timezone.now)),
        migrations.RemoveIndex("attachment", "attachment_created_at"),
        migrations.AddIndex("attachment", models.Index(fields=["used_at"], name="attachment_used_at")),
        migrations.AddIndex("attachment", models.Index(fields=["address"], name="attachment_address")),
        migrations.AddField("draft", "address", models.CharField(blank=True, max_length=45)),
        migrations.AddIndex("draft", models.Index(fields=["address"], name="draft_address")),
        migrations.AddField("conversationversion", "references", models.TextField(blank=True, default="")),
        migrations.RunPython(remember_references, migrations.RunPython.noop),
    ]
