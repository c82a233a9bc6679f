"""For tests that mail: an SMTP server that misbehaves on command, and shops whose customers have fallen silent."""

from __future__ import annotations

import csv
import datetime as dt
import email
import email.policy
import json
import os
import shutil
import signal
import socketserver
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from itertools import count
from pathlib import Path

from sqlalchemy import create_engine, text

import setia.app
from setia.app import Shop
from setia.settings import ShopSettings

NOW = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)
QUICK = '[predictions]\nmodel = "mbg_nbd"\nproducts = false\nreasons = false\n'
"""Nobody here looks at what is predicted beyond what an offer may cost."""
PEOPLE = 70

JOURNEY = """\
programme: come-back
title: {en: Come back, id: Kembali, ms: Kembali}
audience: orders >= 1
measure: {window_days: 60, held_out: 0.2, expected_effect: 0.05}
code_prefix: COME
steps:
  - after_days: 0
    offer: {kind: percent, value: 10}
    subject: {en: "{{ name }}, hello", id: "{{ name }}, halo", ms: "{{ name }}, hai"}
    body: {en: "Code {{ code }}, {{ offer }}", id: "Kode {{ code }}, {{ offer }}", ms: "Kod {{ code }}, {{ offer }}"}
  - after_days: 7
    subject: {en: Again, id: Lagi, ms: Lagi}
    body: {en: "We are here, {{ name }}", id: "Kami di sini, {{ name }}", ms: "Kami di sini, {{ name }}"}
"""
NEVER_QUIET = "[gate]\nquiet_from = 00:00:00\nquiet_until = 00:00:00\n"

HANG_UP = "hang up"
STALL = "stall"


def smtp(port: int, more: str = "") -> str:
    """Settings that send to a server on this machine at any hour."""
    return (
        f'[email]\nhost = "127.0.0.1"\nport = {port}\nsecurity = "none"\nsender = "Kopi Kita <halo@kopi.example>"\n'
        f'unsubscribe = "stop@kopi.example"\npostal_address = "Jl. Kopi 1, Bandung"\n{more}\n{NEVER_QUIET}'
    )


@dataclass
class Conversation:
    """One connection."""

    sender: str = ""
    to: str = ""
    verbs: list[str] = field(default_factory=list)


Answer = Callable[[str, str, Conversation], str | None]


class MailServer:
    """A real SMTP server in a thread. `answer` is asked at every verb (END: the text has come) and may return a reply,
    HANG_UP, STALL, or None for the usual reply. `received` holds what came in full and was not refused.
    """

    def __init__(self, answer: Answer | None = None) -> None:
        self.answer: Answer = answer or (lambda verb, argument, talk: None)
        self.received: list[tuple[str, bytes]] = []
        self.conversations: list[Conversation] = []
        self.over = threading.Event()
        outer = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                outer._converse(self)

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True
            allow_reuse_address = True
            request_queue_size = 50

        self._server = Server(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        self.over.set()
        self._server.shutdown()
        self._server.server_close()

    def to(self) -> list[str]:
        return [to for to, _content in self.received]

    def mails(self) -> list[EmailMessage]:
        return [parsed(content) for _to, content in self.received]

    def _converse(self, handler: socketserver.StreamRequestHandler) -> None:
        talk = Conversation()
        self.conversations.append(talk)
        try:
            self._talk(handler, talk)
        except (ConnectionError, BrokenPipeError, ValueError):
            return  # the client is gone

    def _talk(self, handler: socketserver.StreamRequestHandler, talk: Conversation) -> None:
        if not self._reply(handler, self.answer("HELLO", "", talk) or "220 here"):
            return
        while line := handler.rfile.readline():
            verb, _, argument = line.decode("utf-8").strip().partition(" ")
            verb = verb.upper()
            talk.verbs.append(verb)
            usual = "250 OK"
            if verb == "MAIL":
                talk.sender = argument[argument.index("<") + 1 : argument.index(">")]
            elif verb == "RCPT":
                talk.to = argument[argument.index("<") + 1 : argument.index(">")]
            elif verb == "DATA":
                usual = "354 go on"
            elif verb == "QUIT":
                usual = "221 bye"
            reply = self.answer(verb, argument, talk) or usual
            if not self._reply(handler, reply) or verb == "QUIT":
                return
            if verb == "DATA" and reply.startswith("354") and not self._text(handler, talk):
                return

    def _text(self, handler: socketserver.StreamRequestHandler, talk: Conversation) -> bool:
        lines = []
        while (line := handler.rfile.readline()) != b".\r\n":
            if not line:
                return False
            lines.append(line[1:] if line.startswith(b".") else line)
        mail = (talk.to, b"".join(lines))
        self.received.append(mail)
        reply = self.answer("END", talk.to, talk) or "250 taken"
        if reply[0] in "45":
            self.received.remove(mail)
        return self._reply(handler, reply)

    def _reply(self, handler: socketserver.StreamRequestHandler, reply: str) -> bool:
        if reply == STALL:
            self.over.wait(30)
            return False
        if reply == HANG_UP:
            return False
        handler.wfile.write(reply.encode() + b"\r\n")
        handler.wfile.flush()
        return True


@contextmanager
def mail_servers() -> Iterator[Callable[..., MailServer]]:
    made: list[MailServer] = []

    def make(answer: Answer | None = None) -> MailServer:
        made.append(MailServer(answer))
        return made[-1]

    yield make
    for server in made:
        server.close()


def parsed(content: bytes) -> EmailMessage:
    message = email.message_from_bytes(content, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message


def part(message: EmailMessage, kind: str) -> str:
    found = message.get_body((kind,))
    assert found is not None
    return str(found.get_content())


# Imports once, then forks one worker for each line it reads: a kill hits the worker alone, and costs no new start.
NURSERY = """if True:
    import datetime as dt, json, os, sys
    import duckdb, ibis, jinja2, liquid, psycopg, pyarrow.parquet, sqlglot
    from setia.app import Shop
    ibis.duckdb
    for line in sys.stdin:
        folder, moment, statement = json.loads(line)
        pid = os.fork()
        if pid == 0:
            with Shop.open(folder, clock=lambda: dt.datetime.fromisoformat(moment)) as shop:
                exec(statement)
            os._exit(0)
        print(pid, flush=True)
        print(os.waitpid(pid, 0)[1], flush=True)
"""


class Nursery:
    """Runs statements on a `shop` in processes of their own, and says how they ended."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", NURSERY], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.pid = 0

    def start(self, folder: Path, moment: dt.datetime, statement: str) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([str(folder), moment.isoformat(), statement]) + "\n")
        self._process.stdin.flush()
        self.pid = int(self._process.stdout.readline())

    def wait(self) -> int:
        assert self._process.stdout is not None
        status = int(self._process.stdout.readline())
        self.pid = 0
        return status

    def kill(self) -> None:
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


def write_csv(path: Path, header: tuple[str, ...], rows: list[tuple[object, ...]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)
    return path


def silent_files(folder: Path, people: int = PEOPLE) -> list[Path]:
    """Customers with four orders a month apart, silent for ten months; one who bought yesterday keeps the facts new."""
    folder.mkdir(parents=True, exist_ok=True)
    numbers = count(1)
    customers: list[tuple[object, ...]] = []
    orders: list[tuple[object, ...]] = []
    for person in range(people):
        customers.append(
            (
                f"C{person:03}",
                f"c{person:03}@example.com",
                f"Nama {person}",
                ("en", "id", "ms", "")[person % 4],
                LONG_AGO,
            )
        )
        orders += [
            (f"O{next(numbers)}", f"C{person:03}", NOW - dt.timedelta(days=ago - person % 20), 200_000 + person)
            for ago in (400, 370, 340, 310)
        ]
    orders.append((f"O{next(numbers)}", "fresh", NOW - dt.timedelta(days=1), 100_000))
    return [
        write_csv(
            folder / "customers.csv", ("customer_id", "email", "name", "language", "email_consent_at"), customers
        ),
        write_csv(folder / "orders.csv", ("order_id", "customer_id", "placed_at", "total"), orders),
    ]


LONG_AGO = "2024-01-01T00:00:00Z"


@dataclass(frozen=True)
class Original:
    """A shop that is made once and copied for each test."""

    server: str
    folder: Path
    database: str


_numbers = count(1)


def url_of(url: str, database: str) -> str:
    head, _, query = url.partition("?")
    return f"{head.rsplit('/', 1)[0]}/{database}?{query}"


def execute(url: str, statement: str) -> None:
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()


def _settle(original: Original, folder: Path, database: str, extra: str) -> None:
    url = url_of(original.server, database)
    (folder / "setia.toml").write_text(f'[store]\nurl = "{url}"\n{QUICK}{extra}\n', encoding="utf-8")


@contextmanager
def original_shop(server: str, folder: Path) -> Iterator[Original]:
    """Imported and refreshed, with the journey in its folder of programmes."""
    original = Original(server, folder / "shop", f"original_{id(folder)}")
    execute(server, f"create database {original.database} template setia_template")
    setia.app.init(original.folder, ShopSettings())
    _settle(original, original.folder, original.database, NEVER_QUIET)
    (original.folder / "programmes").mkdir()
    (original.folder / "programmes" / "come-back.yaml").write_text(JOURNEY, encoding="utf-8")
    with Shop.open(original.folder, clock=lambda: NOW) as shop:
        shop.import_files(silent_files(folder / "files"))
        shop.refresh()
    yield original
    execute(server, f"drop database {original.database} with (force)")


@contextmanager
def planned_shop(original: Original, folder: Path) -> Iterator[Original]:
    """The same shop, its journey applied and the first sends planned."""
    with copies(original, folder) as copy:
        shop = copy()
        shop.programmes.apply("come-back")
        shop.programmes.work(send=False)
        shop.close()
        yield Original(original.server, shop.folder, shop.folder.name)


Copy = Callable[..., Shop]


@contextmanager
def copies(original: Original, folder: Path) -> Iterator[Copy]:
    """Makes independent copies of the shop: `copy(extra="[email]…", clock=…)`."""
    made: list[tuple[Shop, str]] = []

    def copy(*, extra: str = NEVER_QUIET, clock: Callable[[], dt.datetime] = lambda: NOW) -> Shop:
        name = f"{original.database}_{next(_numbers)}"
        execute(original.server, f"create database {name} template {original.database}")
        shutil.copytree(original.folder, folder / name)
        _settle(original, folder / name, name, extra)
        made.append((Shop.open(folder / name, clock=clock), name))
        return made[-1][0]

    yield copy
    for shop, name in made:
        shop.close()
        execute(original.server, f"drop database {name} with (force)")
