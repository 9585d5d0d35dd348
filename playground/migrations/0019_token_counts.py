"""Requests to count tokens are runs too: where a run was sent to, and the number that such a request was answered."""

from typing import Any

from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

FIGURES = (
    "duration_ms", "status_class", "source", "state", "first_token_ms", "input_tokens", "cache_write_tokens",
    "cache_read_tokens", "output_tokens", "cost_usd", "endpoint",
)  # fmt: skip


class AddColumn(migrations.AddField):
    """Adds a column with a constant default where it is: on SQLite, Django would copy the whole table."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        model = to_state.apps.get_model(app_label, self.model_name)
        if self.allow_migrate_model(schema_editor.connection.alias, model):
            BaseDatabaseSchemaEditor.add_field(schema_editor, model, model._meta.get_field(self.name))


class Migration(migrations.Migration):
    dependencies = [("playground", "0018_misses_of_sessions")]

    operations = [
        AddColumn(
            "run",
            "endpoint",
            models.CharField(
                choices=[("messages", "Messages"), ("count_tokens", "Count Tokens")],
                db_default="messages",
                default="messages",
                max_length=12,
            ),
        ),
        migrations.AddField("run", "counted_tokens", models.BigIntegerField(null=True)),
        migrations.AddIndex(
            "run",
            models.Index(condition=models.Q(("endpoint", "count_tokens")), fields=["owner", "-id"], name="run_counts"),
        ),
        migrations.RemoveIndex("run", "run_figures"),
        migrations.AddIndex("run", models.Index(fields=["owner", "-id", *FIGURES], name="run_figures")),
    ]
