"""The private server's data directory: where it lies, whose it is, how it is made and configured."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from itertools import count
from pathlib import Path

from setia.kernel.errors import SetiaError
from setia.store.host import (
    LIBRARY,
    MAJOR,
    ROOT,
    Account,
    DiskFull,
    NotPermitted,
    Say,
    ensure_directory,
    write_file,
)

ROLE = "setia"
DATABASE = "setia"
PORT = 5432
"""Only names the socket's file: the server opens no TCP port."""
MARKER = "setia-workspace"
"""The file that tells a cluster of ours, and whose it is: the workspace's path."""
NOTE = "store.json"
"""In the workspace: where root put its cluster."""
LOG = "server.log"
_LITTLE_ROOM = 1_000_000


class NotOurCluster(SetiaError):
    """{path} was not made by Setia, so it is neither used nor removed. Move it away, or choose another workspace."""

    code = "store.not_our_cluster"
    exit_code = 3


class OtherMajorVersion(SetiaError):
    """The store in {cluster} was made by PostgreSQL {found}, and this Setia runs {major}. Its data are untouched.
    Either go back to the Setia that made it, or: move {cluster} away, start the store once and stop it, then run
    `{programs}/pg_upgrade --old-datadir <where it is now> --new-datadir {cluster} --old-bindir <the programs of
    PostgreSQL {found}> --username {role}` as the user who owns them.
    """

    code = "store.other_major_version"
    exit_code = 3


class SetupFailed(SetiaError):
    """The store could not be set up in {cluster}. PostgreSQL's initdb said: {said}"""

    code = "store.setup_failed"
    exit_code = 3


class ClusterGone(SetiaError):
    """The store of this workspace was in {home}, and that directory is gone. Bring it back from your backup; to
    begin with an empty store instead, remove {note}.
    """

    code = "store.cluster_gone"
    exit_code = 3


class ClusterLeftBehind(SetiaError):
    """{home} holds the store of a workspace that was at this path and has been removed or moved. If it was moved,
    start Setia once at its new place. To go on with that store here, write {content} into {note}; to begin with an
    empty one, stop the server and remove {home}.
    """

    code = "store.cluster_left_behind"
    exit_code = 3


class WorkspaceCopied(SetiaError):
    """This workspace is a copy of {original}, and both name the same store. To begin with an empty store here,
    remove {note}.
    """

    code = "store.workspace_copied"
    exit_code = 3


_SETTINGS = """\
# Written by Setia at every start. Put settings of your own after the line in postgresql.conf that includes this file.
listen_addresses = ''
port = {port}
unix_socket_directories = '{socket_dir}'
unix_socket_permissions = 0700
max_connections = 50
shared_buffers = 128MB
fsync = on
wal_recycle = off
timezone = 'UTC'
# Neither query text nor parameters nor values reach the log: errors go to the client alone, details nowhere.
log_destination = 'stderr'
logging_collector = off
log_timezone = 'UTC'
log_min_messages = log
log_error_verbosity = terse
log_statement = none
log_min_error_statement = panic
log_min_duration_statement = -1
log_parameter_max_length = 0
log_parameter_max_length_on_error = 0
log_checkpoints = off
"""
_ACCESS = f"# Written by Setia at every start.\nlocal all {ROLE} peer map={ROLE}\n"


def cluster_of(workspace: Path) -> Path:
    """The data directory of a workspace's cluster, made already or yet to be made.

    It lies in the workspace; under root in a directory below /var/lib/setia, because the system user that the
    server runs under may be unable to reach the workspace.
    """
    note, beside = workspace / NOTE, workspace / "store"
    if note.is_file():
        return _noted(note)
    if os.geteuid() != 0 or workspace_in(beside) is not None:
        return beside
    for number in count(1):
        suffix = "" if number == 1 else f"-{number}"
        cluster = LIBRARY / f"{short_hash(workspace)}{suffix}" / "data"
        if not cluster.exists() or workspace_in(cluster) in (None, workspace):
            break
    return cluster


def _noted(note: Path) -> Path:
    try:
        cluster = Path(json.loads(note.read_text("utf-8"))["cluster"])
    except (ValueError, KeyError, TypeError):
        raise NotOurCluster(path=note) from None
    if not in_library(cluster):
        raise NotOurCluster(path=cluster)  # the note may be another user's writing
    return cluster


def short_hash(workspace: Path) -> str:
    """Sixteen hex digits that stand for the workspace's path, so that a socket's path stays short."""
    return hashlib.sha256(os.fsencode(workspace)).hexdigest()[:16]


def in_library(cluster: Path) -> bool:
    """Whether root keeps this cluster, apart from its workspace."""
    return cluster.parent.parent == LIBRARY and ".." not in cluster.parts


def workspace_in(cluster: Path) -> Path | None:
    """The workspace that the cluster's marker names; None without a marker."""
    try:
        return Path(os.fsdecode((cluster / MARKER).read_bytes()))
    except (FileNotFoundError, NotADirectoryError):
        return None


def socket_dir_of(cluster: Path, workspace: Path) -> Path:
    """The directory of the server's socket, well below the 104 bytes that a socket's path may have."""
    if in_library(cluster):
        return cluster.parent / "socket"
    uid = cluster.stat().st_uid if cluster.is_dir() else os.geteuid()
    return Path(f"/tmp/setia-{uid}") / short_hash(workspace)


def tag_of(cluster: Path) -> str:
    """What the titles of this cluster's processes carry: it follows a directory that is moved, and no copy has it."""
    found = cluster.stat()
    return f"setia-{found.st_dev:08x}{found.st_ino:016x}"


def check_claim(cluster: Path, workspace: Path) -> None:
    """Make sure that a cluster kept apart from its workspace is this workspace's and nobody else's."""
    if not in_library(cluster):
        return
    home, note = cluster.parent, workspace / NOTE
    if not note.is_file():
        if cluster.exists():
            raise ClusterLeftBehind(home=home, note=note, content=_note(cluster).strip())
        return
    if not home.exists():
        raise ClusterGone(home=home, note=note)
    claimed = workspace_in(cluster)
    if claimed not in (None, workspace) and (claimed / NOTE).is_file() and cluster_of(claimed) == cluster:
        raise WorkspaceCopied(original=claimed, note=note)


def _note(cluster: Path) -> str:
    return json.dumps({"cluster": str(cluster)}) + "\n"


def prepare(cluster: Path, workspace: Path, account: Account, programs: Path, say: Say) -> None:
    """Make the cluster if need be, check that this Setia can run it, and write its settings and directories."""
    if in_library(cluster):
        LIBRARY.parent.mkdir(parents=True, exist_ok=True)
        ensure_directory(LIBRARY, ROOT, mode=0o755)
        ensure_directory(cluster.parent, ROOT, mode=0o755)
        if not (workspace / NOTE).is_file():
            write_file(workspace / NOTE, _note(cluster), ROOT, mode=0o644)
    if not cluster.exists() or _empty(cluster):
        say(f"Setting up the store in {cluster} …")
        _initialise(cluster, workspace, account, programs)
    if workspace_in(cluster) is None:
        raise NotOurCluster(path=cluster)
    found = (cluster / "PG_VERSION").read_text("ascii").strip()
    if found != MAJOR:
        raise OtherMajorVersion(cluster=cluster, found=found, major=MAJOR, programs=programs, role=ROLE)
    _make_socket_dir(socket_dir_of(cluster, workspace), cluster, account)
    _configure(cluster, workspace, account)


def _empty(directory: Path) -> bool:
    return directory.is_dir() and not any(directory.iterdir())


def _initialise(cluster: Path, workspace: Path, account: Account, programs: Path) -> None:
    """Make it beside its place and move it there when it is whole, so that a killed process leaves no half."""
    staging = cluster.with_name(f"{cluster.name}.new")
    if staging.exists():
        remove(staging)
    ensure_directory(staging, account, mode=0o700)
    _mark(staging, workspace, account)
    fresh = staging / "data"
    done = account.run(
        programs / "initdb", "-D", fresh, "-U", ROLE, "--auth-local=peer", "--auth-host=reject", "--encoding=UTF8",
        "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--data-checksums", "--no-instructions",
    )  # fmt: skip
    if done.returncode != 0:
        raise failure(done.stderr, cluster) or SetupFailed(cluster=cluster, said=done.stderr.strip())
    own = (fresh / "postgresql.conf").read_text("utf-8")
    write_file(fresh / "postgresql.conf", f"{own}\ninclude = 'setia.conf'\n", account)
    _mark(fresh, workspace, account)
    fresh.rename(cluster)
    parent = os.open(cluster.parent, os.O_RDONLY)
    try:
        os.fsync(parent)
    finally:
        os.close(parent)
    shutil.rmtree(staging)


def _mark(directory: Path, workspace: Path, account: Account) -> None:
    write_file(directory / MARKER, str(workspace), account)


def _configure(cluster: Path, workspace: Path, account: Account) -> None:
    # Peer authentication asks who connects: root does, for a server that runs under a system user.
    names = dict.fromkeys((account.name, "root"))
    quoted = ('"' + name.replace('"', '""') + '"' for name in names)
    people = "".join(f"{ROLE} {name} {ROLE}\n" for name in quoted)
    settings = _SETTINGS.format(port=PORT, socket_dir=socket_dir_of(cluster, workspace))
    write_file(cluster / "setia.conf", settings, account)
    write_file(cluster / "pg_hba.conf", _ACCESS, account)
    write_file(cluster / "pg_ident.conf", f"# Written by Setia at every start.\n{people}", account)
    _mark(cluster, workspace, account)


def _make_socket_dir(directory: Path, cluster: Path, account: Account) -> None:
    if not in_library(cluster):
        ensure_directory(directory.parent, account, mode=0o700)
    ensure_directory(directory, account, mode=0o700)


def failure(said: str, path: Path) -> SetiaError | None:
    """The error for what PostgreSQL said, where its cause can be told."""
    # On a full disk not even the log can be written.
    silenced = not said and shutil.disk_usage(path if path.exists() else path.parent).free < _LITTLE_ROOM
    if silenced or "No space left on device" in said or "Disk quota exceeded" in said:
        return DiskFull(path=path)
    if "Permission denied" in said:
        return NotPermitted(path=path, problem=said.strip().splitlines()[-1])
    return None


def remove(cluster: Path) -> None:
    """Remove a cluster, or what is left of its making. Raises NotOurCluster for anything else."""
    if not _empty(cluster) and workspace_in(cluster) is None:
        raise NotOurCluster(path=cluster)
    shutil.rmtree(cluster)
