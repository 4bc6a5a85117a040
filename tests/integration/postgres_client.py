"""A private PostgreSQL server and psql, for process tests. As root, which PostgreSQL refuses, it runs as the user postgres."""
import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import tempfile

from support import eventually, free_port

USER, PASSWORD = "tester", "s3cret!pw"


def programs():
    """Where initdb and postgres are: the newest version that Debian installed, or the PATH."""
    found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda each: int(each.parts[-3]))
    return f"{found[-1].parent}/" if found else ""


def as_server_user():
    if os.getuid() != 0:
        return {}
    user = pwd.getpwnam("postgres")
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


class Postgres:
    """In a folder of its own, since the server's user must reach it. `flags` go to postgres; `hba` replaces pg_hba.conf."""

    def __init__(self, flags=(), hba=None, environment=None):
        self.environment = {**os.environ, **(environment or {})}
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="millrace-postgres-"))
        self.flags, self.hba, self.port, self.process = list(flags), hba, free_port(), None

    def start(self):
        self.give(self.folder)
        password = self.folder / "password"
        password.write_text(PASSWORD)
        self.give(password)
        made = subprocess.run([programs() + "initdb", f"--pgdata={self.folder}/data", f"--username={USER}", f"--pwfile={password}",
                               "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions"],
                              capture_output=True, text=True, cwd="/", **as_server_user())
        if made.returncode != 0:
            raise RuntimeError(made.stderr)
        if self.hba:
            (self.folder / "data/pg_hba.conf").write_text(self.hba)
        self.launch()
        eventually(lambda: self.sql("SELECT 1") == "1", "postgres answers")
        return self

    def launch(self):
        with open(self.folder / "server.log", "ab") as log:  # the child has its own
            self.process = subprocess.Popen([programs() + "postgres", "-D", f"{self.folder}/data", "-p", str(self.port), "-k", self.folder,
                                             "-clisten_addresses=127.0.0.1", "-cfsync=off", "-cTimeZone=UTC", *self.flags],
                                            stdout=log, stderr=log, cwd="/", env=self.environment, **as_server_user())

    def kill(self):
        self.process.kill()
        self.process.wait()

    def restart_on_same_port(self):
        def answers():
            if self.process.poll() is not None:  # not before the children of the killed one have noticed
                self.launch()
            return self.sql("SELECT 1") == "1"
        eventually(answers, "postgres answers again")

    def give(self, path, mode=0o700):
        """To the server's user, and to nobody else."""
        user = as_server_user()
        if user:
            os.chown(path, user["user"], user["group"])
        os.chmod(path, mode)
        return path

    def stop(self):
        if self.process:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(30)
        shutil.rmtree(self.folder, ignore_errors=True)

    def sql(self, statements, database="postgres"):
        """The rows, tabs between columns, NULL as \\N; by the Unix socket."""
        done = subprocess.run(["psql", "-X", "-q", "-A", "-t", "-F", "\t", "-P", "null=\\N", "-v", "ON_ERROR_STOP=1", "-h", self.folder, "-p",
                               str(self.port), "-U", USER, database], input=statements, capture_output=True, text=True,
                              env={**os.environ, "PGPASSWORD": PASSWORD, "PGCLIENTENCODING": "UTF8"})
        if done.returncode != 0:
            raise RuntimeError(done.stderr.strip())
        return done.stdout.strip("\n")

    def url(self, database):
        return f"jdbc:postgresql://127.0.0.1:{self.port}/{database}"
