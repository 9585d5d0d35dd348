from __future__ import annotations

import sys
from getpass import getpass
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.http import QueryDict

from accounts.forms.connection_form import ConnectionForm
from accounts.models import Connection, User


class Command(BaseCommand):
    help = "Add an upstream for a user, or for everyone. The credential is read from standard input; empty: none."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username", help="whose connection it is; with --everyone: any name, who asked for it")
        parser.add_argument("name")
        parser.add_argument("base_url")
        parser.add_argument("--auth", choices=Connection.AuthStyle.values, default=Connection.AuthStyle.X_API_KEY)
        parser.add_argument("--everyone", action="store_true", help="list it for all users")
        parser.add_argument("--visitors", action="store_true", help="with --everyone: visitors may use it too")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["visitors"] and not options["everyone"]:
            raise CommandError("--visitors goes with --everyone: a user's own connection is theirs alone.")
        user = User.objects.filter(username=options["username"]).first()
        if user is None:
            raise CommandError(f"There is no user {options['username']}. Make one with createsuperuser or sign up.")
        data = QueryDict(mutable=True)
        data.update({name: options[name] for name in ("name", "base_url")})
        data.update({"auth_style": options["auth"], "anthropic_version": "2023-06-01", "credential": self.credential()})
        form = ConnectionForm(data, owner=None if options["everyone"] else user)
        if not form.is_valid():
            raise CommandError("\n".join(f"{name}: {' '.join(map(str, texts))}" for name, texts in form.errors.items()))
        connection = form.save(commit=False)
        connection.visitors_allowed = options["visitors"]
        connection.save()
        whose = "everyone" if options["everyone"] else user.username
        self.stdout.write(f"Added {connection.name} ({connection.base_url}) for {whose}.")

    def credential(self) -> str:
        """One line of standard input. Never an argument: those stand in the list of processes and in histories."""
        if sys.stdin.isatty():
            return getpass("Credential (it does not show; empty for none): ")
        return sys.stdin.readline().strip()
