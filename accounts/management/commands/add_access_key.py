from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import AccessKey, Connection, User
from accounts.models.connection import SANDBOX


class Command(BaseCommand):
    help = "Make an access key for the relay. It is printed once, as the last word of the output."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--connection", required=True, help=f'where its requests go; "{SANDBOX}" is the sandbox')
        parser.add_argument("--name", help="what the key is called in the log (default: the connection's name)")

    def handle(self, *args: Any, **options: Any) -> None:
        owner = User.objects.filter(username=options["username"]).first()
        if owner is None:
            raise CommandError(f"There is no user {options['username']}.")
        connection = self.connection(owner, options["connection"])
        name = (options["name"] or options["connection"])[:80]
        key, secret = AccessKey.objects.issue(owner=owner, connection=connection, name=name)
        self.stdout.write(f"Key {key.name} of {owner.username} for {key.connection_name}: {secret}")

    def connection(self, owner: User, name: str) -> Connection | None:
        if name.lower() == SANDBOX.lower():
            return None
        usable = Connection.objects.usable_by(owner)
        connection = usable.filter(name__iexact=name).first()
        if connection is None:
            names = ", ".join([SANDBOX, *usable.values_list("name", flat=True)])
            raise CommandError(f"{owner.username} has no connection {name}. There are: {names}.")
        return connection
