"""`manage.py serve`: prepare the database, start the server, say where it is."""

from __future__ import annotations

import errno
import os
import socket
from argparse import ArgumentParser
from functools import partial
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from accounts.checks import server_keys_are_there
from playground.settings import is_loopback


class Command(BaseCommand):
    help = "Start the playground. On loopback it is a personal tool; elsewhere PLAYGROUND_ALLOWED_HOSTS must be set."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
        parser.add_argument("--port", type=int, default=8000, help="port; 0 takes a free one (default: %(default)s)")

    def handle(self, *, host: str, port: int, **_: Any) -> None:
        os.umask(0o077)  # the database and uploaded files are the owner's alone, like the folder they are in
        self.check_host(host)
        self.check_port(host, port)
        call_command("migrate", verbosity=0, interactive=False)
        self.warn_of_missing_server_keys()

        from playground import attachment_store, retention
        from playground.conversations import sweeping
        from playground.recovery import close_interrupted
        from playground.server import make_server

        close_interrupted()

        swept = (retention.sweep, retention.clear_sessions, sweeping.sweep, attachment_store.sweep)
        sweeps = [partial(retention.sweep_for_ever, what=what) for what in swept]
        server = make_server(host=host, port=port, on_ready=self.say_where, background=sweeps)
        server.run()
        if server.failed_to_listen:
            raise CommandError(f"Cannot listen on {host}:{port}: {server.failed_to_listen}")

    def warn_of_missing_server_keys(self) -> None:
        """Only a warning: with the key lost for good, the site is where credentials are typed anew."""
        for problem in server_keys_are_there(databases=["default"]):
            self.stderr.write(self.style.WARNING(f"{problem.msg}\n{problem.hint}"))

    def check_host(self, host: str) -> None:
        """On loopback everybody who can reach the server is its operator; anywhere else hosts must be named.

        Behind a proxy the address is loopback too, but the site is not only its operator's: named hosts tell that.
        """
        is_personal = settings.ALLOWED_HOSTS == settings.LOOPBACK_HOSTS and not settings.PUBLIC_URL
        if is_loopback(host):
            settings.ALLOW_LOOPBACK_UPSTREAMS = settings.ALLOW_LOOPBACK_UPSTREAMS or is_personal
            if is_personal:
                settings.MAX_BIG_BODIES_PER_ADDRESS = settings.MAX_BIG_BODIES
        elif settings.ALLOWED_HOSTS == settings.LOOPBACK_HOSTS:
            raise CommandError(
                f"{host} can be reached by others. Set PLAYGROUND_ALLOWED_HOSTS to the names this server is called by "
                "(and PLAYGROUND_PUBLIC_URL if a proxy in front speaks HTTPS), or leave --host out."
            )

    def check_port(self, host: str, port: int) -> None:
        """Try the port before anything is prepared, for an error in words."""
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                trial.bind((host.strip("[]"), port))
            except OSError as problem:
                if problem.errno == errno.EADDRINUSE:
                    raise CommandError(
                        f"Port {port} is taken, perhaps by another playground. Stop that one, or choose a port: "
                        f"--port {port + 1}, or --port 0 for any free one."
                    ) from None
                raise CommandError(f"Cannot listen on {host}:{port}: {problem.strerror}.") from None

    def say_where(self, url: str) -> None:
        self.stdout.write(f"Messages Playground is at {url}  (Ctrl-C stops it)")
        self.stdout.flush()
