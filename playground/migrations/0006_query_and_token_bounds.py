"""Keep the query of a request's address, and bring token counts that cannot be into the range of what can."""

from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps
from django.db.models import F, Q
from django.db.models.functions import Greatest, Least

MOST_TOKENS = 100_000_000
COUNTS = ("input_tokens", "output_tokens", "cache_write_tokens", "cache_read_tokens", "thinking_tokens")


def clamp(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    runs = apps.get_model("playground", "Run").objects.using(schema_editor.connection.alias)
    for name in COUNTS:
        impossible = runs.filter(Q(**{f"{name}__gt": MOST_TOKENS}) | Q(**{f"{name}__lt": 0}))
        bounded = Greatest(Least(F(name), MOST_TOKENS), 0)
        impossible.update(tokens_clamped=True, **{name: bounded})


class Migration(migrations.Migration):
    dependencies = [("playground", "0005_draft_is_behind")]

    operations = [
        migrations.AddField("run", "tokens_clamped", models.BooleanField(default=False)),
        migrations.AddField("runcontent", "request_query", models.TextField(blank=True, default="")),
        migrations.RunPython(clamp, migrations.RunPython.noop),
    ]
