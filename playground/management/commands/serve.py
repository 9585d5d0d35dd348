"""`manage.py serve`: prepare the database, start the server, say where it is."""

from __future__ import annotations

import errno
import os
import socket
import sys
from argparse import SUPPRESS, ArgumentParser, ArgumentTypeError
from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection, connections
from django.utils.module_loading import import_string

from accounts.checks import server_keys_are_there
from playground import __version__
from playground.configuration.data_folder import one_at_a_time, protect_tree
from playground.serving.site_lock import SiteLock, SiteTakenError
from playground.serving.supervisor import LISTENING_ON, PARENT, Supervisor, listen, stop_with_parent, tell_parent
from playground.settings import is_loopback

MOST_PROCESSES = 256


def port_number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > 65_535:
        raise ArgumentTypeError(f"{text!r} is not a port: 0 to 65535")
    return int(text)


def process_count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= MOST_PROCESSES:
        raise ArgumentTypeError(f"{text!r} is not a number of processes: 1 to {MOST_PROCESSES}")
    return int(text)


def cannot_listen(host: str, port: int, problem: OSError) -> CommandError:
    if problem.errno == errno.EADDRINUSE:
        return CommandError(
            f"Port {port} is taken, perhaps by another playground. Stop that one, or choose a port: "
            f"--port {port + 1}, or --port 0 for any free one."
        )
    return CommandError(f"Cannot listen on {host}:{port}: {problem.strerror}.")


def leave_databases() -> None:
    """Close every connection and pool: their threads and sockets must not be in two processes after a fork."""
    for each in connections.all(initialized_only=True):
        each.close()
        if hasattr(each, "close_pool"):
            each.close_pool()


class Command(BaseCommand):
    help = "Start the playground. On loopback it is a personal tool; elsewhere PLAYGROUND_ALLOWED_HOSTS must be set."

    def get_version(self) -> str:
        return f"Messages Playground {__version__}"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
        parser.add_argument(
            "--port", type=port_number, default=8000, help="port; 0 takes a free one (default: %(default)s)"
        )

        parser.add_argument(
            "--processes",
            type=process_count,
            default=1,
            help="how many processes serve the port; more than one need PostgreSQL and Redis (default: %(default)s)",
        )
        parser.add_argument(LISTENING_ON, type=int, help=SUPPRESS)
        parser.add_argument(PARENT, type=int, help=SUPPRESS)

    def handle(
        self, *, host: str, port: int, processes: int, listening_on: int | None, parent: int | None, **_: Any
    ) -> None:
        os.umask(0o077)  # the database and uploaded files are the owner's alone, like the folder they are in
        self.check_host(host)
        if processes > 1 and listening_on is None:
            self.supervise(host, port, processes)
        else:
            self.serve(host, port, listening_on, parent)

    def supervise(self, host: str, port: int, processes: int) -> None:
        self.check_can_be_several()
        try:
            listening = listen(host, port)
        except OSError as problem:
            raise cannot_listen(host, port, problem) from None
        name = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound
        url = f"http://{f'[{name}]' if ':' in name else name}:{listening.getsockname()[1]}/"
        supervisor = Supervisor(listening, processes, say=self.say, on_ready=lambda: self.say_where(url))
        sys.exit(supervisor.run())

    def check_can_be_several(self) -> None:
        missing = [
            f"{name}={example}"
            for name, example, is_there in (
                ("PLAYGROUND_DATABASE_URL", "postgres://…", connection.vendor == "postgresql"),
                ("PLAYGROUND_REDIS_URL", "redis://…", bool(settings.REDIS_URL)),
            )
            if not is_there
        ]
        if missing:
            raise CommandError(
                f"Several processes share a site through PostgreSQL and Redis: set {' and '.join(missing)}."
            )

    def serve(self, host: str, port: int, listening_on: int | None, parent: int | None) -> None:
        lock: SiteLock = import_string(settings.SITE_LOCK)()
        self.take(lock.take_folder)
        self.collect_static_files()  # before the workers, who name the files in their pages
        self.prepare_workers()
        self.take(lock.take_database)
        if listening_on is None:
            self.check_port(host, port)
        protect_tree(Path(settings.MEDIA_ROOT))
        with lock.migrating():
            call_command("migrate", verbosity=0, interactive=False)
        self.warn_of_missing_server_keys()

        from playground.asgi import application
        from playground.engine.memory import settle_malloc
        from playground.serving.server import Server

        settle_malloc()
        lock.join()
        server = Server(
            application,
            host=host,
            port=port,
            on_ready=self.say_where if parent is None else lambda _: tell_parent(parent),
            on_drain=lock.drain,
            background=self.background(lock, parent),
            listening_on=listening_on,
        )
        server.run()
        lock.leave()
        if server.failed_to_listen:
            raise CommandError(f"Cannot listen on {host}:{port}: {server.failed_to_listen}")

    def background(self, lock: SiteLock, parent: int | None) -> list[Callable[[], Coroutine[Any, Any, None]]]:
        """Return the coroutines that run as long as the server does."""
        from playground.attachments import attachment_store
        from playground.conversations import cleanup
        from playground.dispatch import process
        from playground.recording import retention, session_upkeep
        from playground.reports import running

        sorting = session_upkeep.fill_in_all
        swept = (retention.sweep, retention.clear_sessions, cleanup.sweep, attachment_store.sweep, sorting)
        with_parent = [] if parent is None else [partial(stop_with_parent, parent)]
        return [
            process.join_others,
            *(partial(lock.sweep, what) for what in swept),
            running.resume_for_ever,
            *with_parent,
        ]

    def prepare_workers(self) -> None:
        """Fork their template before there are threads, locks or database connections that it would share."""
        from playground.workers.pool import workers
        from playground.workers.template import load_application

        if settings.WORKERS:
            load_application()
            leave_databases()
            workers.fork_now()

    def take(self, what: Callable[[Callable[[str], None]], None]) -> None:
        """Alone with the data folder, or the database; or an error in words."""
        try:
            what(self.say)
        except SiteTakenError as taken:
            raise CommandError(str(taken)) from None
        except psycopg.Error as problem:
            reason = str(problem).strip().splitlines()
            raise CommandError(f"The database cannot be reached: {reason[0] if reason else 'no answer'}.") from None

    def collect_static_files(self) -> None:
        from playground.serving import static_files

        if not settings.DEBUG:
            with one_at_a_time(settings.DATA_DIR / "static.lock"):
                static_files.collect()
            settings.WHITENOISE_USE_FINDERS = False
            static_files.look_up_files()

    def warn_of_missing_server_keys(self) -> None:
        """Only a warning: with the key lost for good, the site is where credentials are entered again."""
        for problem in server_keys_are_there(databases=["default"]):
            self.stderr.write(self.style.WARNING(f"{problem.msg}\n{problem.hint}"))

    def check_host(self, host: str) -> None:
        """Refuse an address beyond loopback until hosts are named: on loopback everybody who can reach the server is
        its operator.

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
                raise cannot_listen(host, port, problem) from None

    def say_where(self, url: str) -> None:
        """Addresses that can be opened: the public one, else each name this server is called by."""
        port = urlsplit(url).port
        names = [name for name in settings.ALLOWED_HOSTS if not name.startswith((".", "*"))]
        if settings.PUBLIC_URL:
            places = [settings.PUBLIC_URL + "/"]
        elif names and set(names) != set(settings.LOOPBACK_HOSTS):
            places = [f"http://{name}:{port}/" for name in names]
        else:
            places = [url]
        listening = "" if url in places else f", listening on port {port}"
        self.say(f"Messages Playground is at {' '.join(places)}{listening}  (Ctrl-C stops it)")

    def say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()
