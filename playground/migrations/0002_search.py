"""The full-text index of the request log, by hand: each database has its own kind.

SQLite: when a later migration rebuilds `playground_runcontent`, the trigger is lost and must be made again there.
"""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

CREATE = {
    "sqlite": [
        """CREATE VIRTUAL TABLE playground_search USING fts5(
            marks, words, tokenize = "unicode61 remove_diacritics 0", prefix = "3 4 5"
        )""",
        """CREATE TRIGGER playground_search_forget AFTER DELETE ON playground_runcontent BEGIN
            DELETE FROM playground_search WHERE rowid = old.id;
        END""",
    ],
    "postgresql": [
        "ALTER TABLE playground_runcontent ADD COLUMN words tsvector",
        "CREATE INDEX content_words ON playground_runcontent USING gin (words)",
    ],
}
DROP = {
    "sqlite": ["DROP TRIGGER playground_search_forget", "DROP TABLE playground_search"],
    "postgresql": ["ALTER TABLE playground_runcontent DROP COLUMN words"],
}


def create(_apps: object, schema_editor: BaseDatabaseSchemaEditor) -> None:
    for statement in CREATE[schema_editor.connection.vendor]:
        schema_editor.execute(statement)


def drop(_apps: object, schema_editor: BaseDatabaseSchemaEditor) -> None:
    for statement in DROP[schema_editor.connection.vendor]:
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("playground", "0001_initial")]
    operations = [migrations.RunPython(create, drop)]
