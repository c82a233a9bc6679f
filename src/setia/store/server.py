"""Setia's own PostgreSQL server for one workspace, for whoever gives no database URL."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from setia.kernel.errors import SetiaError
from setia.store.cluster import (
    DATABASE,
    LOG,
    NOTE,
    PORT,
    ROLE,
    check_claim,
    cluster_of,
    failure,
    in_library,
    prepare,
    remove,
    socket_dir_of,
    tag_of,
    workspace_in,
)
from setia.store.host import SYSTEM_USER, Account, Say, explaining, new_owner, owner_of, programs_for

if TYPE_CHECKING:
    import psutil
    import psycopg

_TICK = 0.02
"""Seconds between two looks at the server."""
_PATIENCE = 60
"""Seconds that a server may stay silent; one that says it is recovering is given all the time it needs."""
_REPORT = 5
"""Seconds between two words on what is being waited for."""
_LINGERING = 10
"""Seconds for what is left of a killed server to end by itself."""
_LOG_LIMIT = 1_000_000
_TAIL = 15

# The shell only sends the server to the background, opening the log as the server's own user. It is given its
# words as arguments, so no path is ever parsed.
_DETACHED = 'log=$1; shift; "$@" </dev/null >>"$log" 2>&1 & echo $!'


class StartFailed(SetiaError):
    """The store's server did not start: {problem}. Its log is {log}. {said}"""

    code = "store.start_failed"
    exit_code = 3


class StopFailed(SetiaError):
    """The store's server (process {pid}) has been told to stop and is still at it after {seconds} seconds. Wait for
    it, or look into {log}.
    """

    code = "store.stop_failed"
    exit_code = 3


@dataclass(frozen=True, slots=True)
class PrivateServer:
    """The server of one workspace. It outlives the process that starts it and listens on a local socket alone."""

    workspace: Path

    @classmethod
    def of(cls, workspace: Path) -> PrivateServer:
        """The server of this workspace, by whatever path it is reached."""
        return cls(workspace.resolve())

    @property
    def cluster(self) -> Path:
        """PostgreSQL's data directory: `store` in the workspace, or under root a directory below /var/lib/setia."""
        return cluster_of(self.workspace)

    @property
    def socket_dir(self) -> Path:
        """The directory of the socket, open to the server's user alone."""
        return socket_dir_of(self.cluster, self.workspace)

    def url(self) -> str:
        """SQLAlchemy's URL of the database, whether the server runs or not; it contains no secret.

        The client refuses a socket behind which another user than the cluster's owner serves.
        """
        return (
            f"postgresql+psycopg://{ROLE}@/{DATABASE}?host={self.socket_dir}&port={PORT}"
            f"&requirepeer={quote(self._owner_name())}"
        )

    def start(self, say: Say | None = None) -> str:
        """Make sure that the server runs, setting it up first where there is none; give back its URL.

        May be called at any time and by several processes at once. What takes longer is told to `say`.
        Raises errors with a code beginning `store.`, which name what is to be mended.
        """
        say = say or (lambda _: None)
        with explaining(self.workspace):
            self.workspace.mkdir(parents=True, exist_ok=True)
            check_claim(self.cluster, self.workspace)
            if self._serves():
                return self.url()
            with _alone(self.workspace, say):
                self._bring_up(say)
                self._create_database()
        return self.url()

    def running(self) -> bool:
        """Whether the server answers: a connection succeeds, or is refused only because all are taken."""
        return self._refusal("postgres") is None

    def stop(self) -> bool:
        """Shut the server down, ending its connections; transactions under way are rolled back.

        False when it was not running. Raises StopFailed when it takes over a minute.
        """
        if not self.workspace.is_dir():
            return False
        with explaining(self.cluster), _alone(self.workspace, lambda _: None):
            check_claim(self.cluster, self.workspace)
            return self._stop()

    def _owner_name(self) -> str:
        if self.cluster.is_dir():
            return owner_of(self.cluster).name
        return SYSTEM_USER if os.geteuid() == 0 else Account.numbered(os.geteuid()).name

    def _serves(self) -> bool:
        """Whether all is done: ours by its marker, and the database accepts a connection."""
        try:
            return workspace_in(self.cluster) == self.workspace and self._refusal(DATABASE) is None
        except OSError:
            return False

    def _refusal(self, database: str) -> str | None:
        """Why a connection fails, in words; None when it succeeds."""
        if not self.cluster.is_dir():
            return "there is no cluster"
        import psycopg

        try:
            self._connect(database).close()
        except psycopg.OperationalError as problem:
            said = str(problem).strip()
            return None if "too many clients" in said or "connection slots are reserved" in said else said
        return None

    def _connect(self, database: str) -> psycopg.Connection[tuple[Any, ...]]:
        import psycopg

        return psycopg.connect(
            host=str(self.socket_dir),
            port=PORT,
            user=ROLE,
            dbname=database,
            requirepeer=self._owner_name(),
            connect_timeout=5,
            autocommit=True,
        )

    def _create_database(self) -> None:
        if self._refusal(DATABASE) is None:
            return
        with closing(self._connect("postgres")) as connection:
            if not connection.execute("select from pg_database where datname = %s", [DATABASE]).fetchall():
                connection.execute(f"create database {DATABASE}")

    def _bring_up(self, say: Say) -> None:
        cluster = self.cluster
        account = owner_of(cluster) if cluster.is_dir() else new_owner(say)
        if (process := self._postmaster()) and not self._lost_socket():
            say("The store's server is there but does not answer yet; waiting for it.")
            if self._answers(process, say):
                return
        if self._stop():
            say("The store's server was running but could not be reached; starting it again.")
        programs = programs_for(account)
        prepare(cluster, self.workspace, account, programs, say)
        if self._clear_remains():
            say("The store was not shut down; it is recovering …")
        self._launch(account, programs, say)

    def _launch(self, account: Account, programs: Path, say: Say) -> None:
        import psutil

        cluster = self.cluster
        log = cluster / LOG
        if log.exists() and log.lstat().st_size > _LOG_LIMIT:
            log.replace(cluster / f"{LOG}.1")
        already = log.lstat().st_size if log.exists() else 0
        server = (programs / "postgres", "-D", cluster, "-c", f"cluster_name={tag_of(cluster)}")
        done = account.run("/bin/sh", "-c", _DETACHED, "sh", log, *server)
        with suppress(psutil.NoSuchProcess, ValueError):
            if self._answers(psutil.Process(int(done.stdout)), say):
                return
        said = done.stderr + _lines_after(log, already)
        last = "\n".join(("The last lines are:", *said.splitlines()[-_TAIL:]))
        raise failure(said, cluster) or StartFailed(problem="it ended at once", log=log, said=last)

    def _answers(self, process: psutil.Process, say: Say) -> bool:
        """Wait until the server accepts connections; False when it ends instead."""
        heard = told = monotonic()
        while (refusal := self._refusal("postgres")) is not None:
            if not _alive(process):
                return False
            now = monotonic()
            recovering = "starting up" in refusal or "not yet accepting" in refusal or "recovery" in refusal
            if recovering:
                heard = now
            if now - heard > _PATIENCE:
                raise StartFailed(problem="it does not accept connections", log=self.cluster / LOG, said=refusal)
            if now - told > _REPORT:
                told = now
                say("The store is recovering …" if recovering else "Waiting for the store's server …")
            sleep(_TICK)
        return True

    def _postmaster(self) -> psutil.Process | None:
        """The process that postmaster.pid names, if it is alive and this cluster's server and no other process."""
        import psutil

        try:
            process = psutil.Process(int(self._pid_file()[0]))
        except (IndexError, ValueError, psutil.NoSuchProcess):
            return None
        return process if self._owns(process) else None

    def _owns(self, process: psutil.Process) -> bool:
        """Whether a process belongs to this cluster: its user, its program, and the cluster's tag or path in its title.

        All three can be read in a container too, where root may not look into other users' processes.
        """
        import psutil

        tag, path = tag_of(self.cluster), str(self.cluster)
        try:
            if process.name() != "postgres" or process.uids().real != self.cluster.stat().st_uid:
                return False
            return any(tag in word or word == path for word in process.cmdline())
        except psutil.Error:
            return False

    def _lost_socket(self) -> bool:
        """Whether a server that has been up cannot be reached: its socket was removed, or its workspace moved."""
        been_up = self._pid_file()[-1:] == ["ready"]
        return been_up and not (self.socket_dir / f".s.PGSQL.{PORT}").exists()

    def _pid_file(self) -> list[str]:
        try:
            lines = (self.cluster / "postmaster.pid").read_text("utf-8", "replace").splitlines()
        except FileNotFoundError:
            return []
        return [line.strip() for line in lines]

    def _stop(self) -> bool:
        process = self._postmaster()
        if process is None:
            return False
        import psutil

        owner_of(self.cluster)  # or not ours to stop
        with suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGINT)  # PostgreSQL's fast shutdown
        if not _gone([process], _PATIENCE):
            raise StopFailed(pid=process.pid, seconds=_PATIENCE, log=self.cluster / LOG)
        return True

    def _clear_remains(self) -> bool:
        """Let what is left of a killed server end, and remove its lock files, whose number may be anyone's by now.

        True when there was something: the server was not shut down. Until the last process is gone it could still
        write into the cluster; those that do not end by themselves are ended.
        """
        import psutil

        remains = [process for process in psutil.process_iter() if self._owns(process)]
        if not _gone(remains, _LINGERING):
            for process in remains:
                with suppress(psutil.NoSuchProcess):
                    process.send_signal(signal.SIGQUIT)
            if not _gone(remains, _LINGERING):
                pids = ", ".join(str(process.pid) for process in filter(_alive, remains))
                problem = f"processes of its last run do not end ({pids})"
                raise StartFailed(problem=problem, log=self.cluster / LOG, said="")
        socket = self.socket_dir / f".s.PGSQL.{PORT}"
        stale = [self.cluster / "postmaster.pid", socket, socket.with_name(f"{socket.name}.lock")]
        found = [path for path in stale if path.exists()]
        for path in found:
            path.unlink()
        return bool(remains or found)


def destroy(workspace: Path) -> None:
    """Stop the workspace's server and remove its cluster with all it holds, for good.

    The workspace itself stays. Raises NotOurCluster, and removes nothing, where Setia did not make the cluster.
    """
    server = PrivateServer.of(workspace)
    cluster, socket_dir = server.cluster, server.socket_dir
    if not cluster.exists():
        return
    present = server.workspace.is_dir()
    with explaining(cluster), _alone(server.workspace, lambda _: None) if present else nullcontext():
        if present:
            check_claim(cluster, server.workspace)
        if workspace_in(cluster) is not None:
            server._stop()
        remove(cluster)
        if socket_dir.is_dir() and not socket_dir.is_symlink():
            shutil.rmtree(socket_dir)
        if in_library(cluster):
            shutil.rmtree(cluster.parent)
            (server.workspace / NOTE).unlink(missing_ok=True)


@contextmanager
def _alone(workspace: Path, say: Say) -> Iterator[None]:
    """Let one process at a time start or stop the workspace's server."""
    handle = os.open(workspace / "store.lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        home = workspace.stat()
        if os.geteuid() == 0 != home.st_uid:
            os.fchown(handle, home.st_uid, home.st_gid)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Another process is starting or stopping the store; waiting for it.")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _alive(process: psutil.Process) -> bool:
    import psutil

    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _gone(processes: list[psutil.Process], seconds: float) -> bool:
    """Wait for processes, ours or not, to end; False when the time is up."""
    for _ in range(round(seconds / _TICK)):
        if not any(map(_alive, processes)):
            return True
        sleep(_TICK)
    return not any(map(_alive, processes))


def _lines_after(log: Path, offset: int) -> str:
    if not log.exists():
        return ""
    with log.open("rb") as file:
        file.seek(offset)
        return file.read(100_000).decode("utf-8", "replace")
