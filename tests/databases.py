"""Real servers of MariaDB and PostgreSQL, each on a port of its own in a folder of its own."""

import contextlib
import dataclasses
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

USER, PASSWORD, DATABASE = "team", "right!", "posters"
VARIABLE = "POSTERS_TEST_PASSWORD"
_SECONDS_TO_START = 60


@dataclasses.dataclass(frozen=True)
class Server:
    """A server that runs, with one user and one empty database that the user may use."""

    kind: str
    port: int
    process: subprocess.Popen

    def settings(self, **changes) -> dict:
        """The section `metadata` of a configuration."""
        return {
            "kind": self.kind, "host": "127.0.0.1", "port": self.port, "database": DATABASE,
            "user": USER, "password_variable": VARIABLE, **changes,
        }  # fmt: skip

    def overrides(self, **changes) -> list[str]:
        """The same, each as `--set` takes it."""
        return [f"metadata.{key}={value}" for key, value in self.settings(**changes).items()]


def find(program: str) -> str | None:
    """A server's program; distributions keep some off PATH."""
    folders = [os.environ.get("PATH", ""), "/usr/sbin", "/usr/libexec"]
    folders += map(str, sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True))
    return shutil.which(program, path=os.pathsep.join(folders))


def is_there(kind: str) -> bool:
    """Whether a server of a kind can be started here."""
    programs = {"mysql": ("mariadbd", "mariadb-install-db"), "postgresql": ("postgres", "initdb")}
    return all(find(program) for program in programs[kind])


@contextlib.contextmanager
def running(kind: str):
    """Yields a server, and stops it afterwards."""
    with tempfile.TemporaryDirectory(prefix="posters-") as folder, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        start = {"mysql": _start_mariadb, "postgresql": _start_postgresql}[kind]
        process = start(Path(folder), port)
        try:
            yield Server(kind, port, process)
        finally:
            # PostgreSQL's SIGTERM waits for its clients; MariaDB knows no SIGINT.
            process.send_signal(signal.SIGINT if kind == "postgresql" else signal.SIGTERM)
            process.wait(_SECONDS_TO_START)


def _start_mariadb(folder: Path, port: int) -> subprocess.Popen:
    import pymysql

    options = ["--no-defaults", f"--datadir={folder / 'data'}"]
    options += ["--user=root"] if os.geteuid() == 0 else []
    install = [find("mariadb-install-db"), *options, "--skip-test-db", "--skip-name-resolve"]
    _run([*install, "--auth-root-authentication-method=normal"], folder)
    door = folder / "door.sock"
    where = [f"--socket={door}", f"--port={port}", "--bind-address=127.0.0.1"]
    # What is written need not outlive the test.
    quick = ["--innodb-flush-log-at-trx-commit=0", "--skip-name-resolve"]
    command = [find("mariadbd"), *options, *where, *quick, f"--pid-file={folder / 'pid'}"]
    process = _start(command, folder)
    administer = _connect(
        process, folder, lambda: pymysql.connect(unix_socket=str(door), user="root")
    )
    with administer, administer.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {DATABASE}")
        cursor.execute("CREATE USER %s@'127.0.0.1' IDENTIFIED BY %s", (USER, PASSWORD))
        cursor.execute(f"GRANT ALL ON {DATABASE}.* TO %s@'127.0.0.1'", (USER,))
    return process


def _start_postgresql(folder: Path, port: int) -> subprocess.Popen:
    import pg8000

    word = folder / "word"
    word.write_text("administrator")
    data, as_another = folder / "data", []
    if os.geteuid() == 0:  # it refuses to run as root
        as_another = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
        for path in (folder, word):
            shutil.chown(path, "postgres", "postgres")
    create = [find("initdb"), "-D", str(data), "-A", "scram-sha-256", "-U", "administrator"]
    _run([*as_another, *create, f"--pwfile={word}", "--no-sync"], folder)
    command = [find("postgres"), "-D", str(data), "-p", str(port), "-c", "fsync=off"]
    command += ["-c", "listen_addresses=127.0.0.1", "-c", f"unix_socket_directories={folder}"]
    process = _start([*as_another, *command], folder)
    administer = _connect(
        process,
        folder,
        lambda: pg8000.connect(
            "administrator", "127.0.0.1", "postgres", port, "administrator", timeout=5
        ),
    )
    with contextlib.closing(administer):
        administer.autocommit = True
        cursor = administer.cursor()
        cursor.execute(f"CREATE ROLE {USER} LOGIN PASSWORD '{PASSWORD}'")
        cursor.execute(f"CREATE DATABASE {DATABASE} OWNER {USER}")
    return process


def _run(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr


def _start(command: list[str], folder: Path) -> subprocess.Popen:
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, cwd=folder)


def _connect(process, folder, connect):
    until = time.monotonic() + _SECONDS_TO_START
    while True:
        try:
            return connect()
        except Exception:  # each client has errors of its own
            ended = process.poll() is not None
            if ended or time.monotonic() > until:
                process.kill()
                raise AssertionError((folder / "log").read_text(errors="replace")) from None
            time.sleep(0.1)
