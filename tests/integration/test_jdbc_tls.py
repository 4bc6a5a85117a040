"""JDBC over TLS with real certificates, against a MariaDB and a PostgreSQL that take nothing else: which servers are trusted, which
clients are let in, what an error says; and that no password shows in answers or logs, whatever goes wrong."""
import json
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import threading
import unittest

from postgres_client import PASSWORD as PG_PASSWORD, USER as PG_USER, Postgres
from support import PASSWORD, PROGRAM, MariaDb, Worker

SECRET, PHRASE = "secret-nobody-may-see", "phrase-nobody-may-see"
SOURCE = "io.confluent.connect.jdbc.JdbcSourceConnector"


class Certificates:
    """Two authorities; the server's certificate names the host localhost and no address."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        for name in ("ca", "other-ca"):
            self.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", f"/CN={name}",
                         "-keyout", f"{name}.key", "-out", f"{name}.pem")
        self.issue("server", "db.example", "subjectAltName=DNS:localhost,DNS:db.example")
        for user in ("carla", PG_USER):
            self.issue(user, user, "extendedKeyUsage=clientAuth")
            # MariaDB's driver has one file for both.
            self.path(f"{user}-both.pem").write_text(self.path(f"{user}.pem").read_text() + self.path(f"{user}.key").read_text())
        self.openssl("ec", "-in", "carla.key", "-aes256", "-passout", f"pass:{PHRASE}", "-out", "carla-locked.key")
        self.path("carla-locked.pem").write_text(self.path("carla.pem").read_text() + self.path("carla-locked.key").read_text())
        for key in self.folder.glob("*.key"):
            key.chmod(0o600)  # libpq takes no key that others may read

    def path(self, name):
        return self.folder / name

    def openssl(self, *arguments):
        subprocess.run(["openssl", *arguments], cwd=self.folder, check=True, capture_output=True)

    def issue(self, name, common_name, extension):
        self.openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", f"/CN={common_name}", "-keyout",
                     f"{name}.key", "-out", f"{name}.csr")
        self.path(f"{name}.ext").write_text(extension + "\n")
        self.openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile",
                     f"{name}.ext", "-out", f"{name}.pem")


class CutOff(threading.Thread):
    """A server that goes away when TLS begins: `first` is what it says of itself, `then` its answer to the wish for TLS."""

    def __init__(self, first, then):
        super().__init__(daemon=True)
        self.first, self.then = first, then
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.start()

    def run(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            with client:
                client.sendall(self.first)
                client.recv(100)  # the wish
                client.sendall(self.then)
                if self.then:
                    client.recv(100)  # TLS's first words

    def stop(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.join()


class JdbcTls(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="millrace-tls-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.tls = Certificates(cls.folder)
        files = {"ca": cls.tls.path("ca.pem"), "cert": cls.tls.path("server.pem"), "key": cls.tls.path("server.key")}
        cls.maria = MariaDb(cls.folder, [f"--ssl-{name}={file}" for name, file in files.items()]).start()
        cls.addClassCleanup(cls.maria.stop)
        cls.maria.sql(f"CREATE DATABASE shop; CREATE TABLE shop.t (id INT PRIMARY KEY); INSERT INTO shop.t VALUES (1);"
                      f"CREATE USER ann@'127.0.0.1' IDENTIFIED BY '{PASSWORD}' REQUIRE SSL;"
                      f"CREATE USER carla@'127.0.0.1' IDENTIFIED BY '{PASSWORD}' REQUIRE SUBJECT '/CN=carla';"
                      "GRANT ALL ON shop.* TO ann@'127.0.0.1'; GRANT ALL ON shop.* TO carla@'127.0.0.1'")
        cls.postgres = Postgres(hba="local all all scram-sha-256\nhostssl strict all all scram-sha-256 clientcert=verify-full\n"
                                    "hostssl all all all scram-sha-256\n")
        for name, file in files.items():
            copy = shutil.copy(file, cls.postgres.folder / f"{name}.pem")
            cls.postgres.give(copy, 0o600)
            cls.postgres.flags.append(f"-cssl_{'ca' if name == 'ca' else name}_file={copy}")
        cls.postgres.flags.append("-cssl=on")
        cls.addClassCleanup(cls.postgres.stop)
        cls.postgres.start()
        cls.postgres.sql("CREATE DATABASE shop")
        cls.postgres.sql("CREATE DATABASE strict")
        cls.postgres.sql("CREATE TABLE t (id INT PRIMARY KEY); INSERT INTO t VALUES (1)", "shop")
        cls.worker = Worker(cls.folder).start()
        cls.addClassCleanup(cls.worker.stop)

    def validate(self, url, user, password, **more):
        """The errors at connection.url, of a configuration that is right otherwise."""
        config = {"name": "x", "connector.class": SOURCE, "mode": "bulk", "topic.prefix": "t", "table.whitelist": "t", "connection.url": url,
                  "connection.user": user, "connection.password": password, **{key.replace("_", "."): str(value) for key, value in more.items()}}
        answer = self.worker.request("PUT", "/connector-plugins/JdbcSourceConnector/config/validate", config)
        self.assertEqual(200, answer.status, answer.text)
        return {each["value"]["name"]: each["value"]["errors"] for each in answer.json["configs"] if each["value"]["errors"]}

    def url_of(self, kind, host, parameters, database="shop", scheme="mariadb"):
        text = "&".join(f"{name}={value}" for name, value in parameters.items())
        if kind == "maria":
            return f"jdbc:{scheme}://{host}:{self.maria.port}/{database}?{text}"
        return f"jdbc:postgresql://{host}:{self.postgres.port}/{database}?{text}"

    def accepted(self, url, user=None, password=None, **more):
        postgres = url.startswith("jdbc:postgresql")
        self.assertEqual({}, self.validate(url, user or (PG_USER if postgres else "ann"), password or (PG_PASSWORD if postgres else PASSWORD), **more), url)

    def refused(self, url, *words, user=None, password=None, **more):
        postgres = url.startswith("jdbc:postgresql")
        errors = self.validate(url, user or (PG_USER if postgres else "ann"), password or (PG_PASSWORD if postgres else PASSWORD), **more)
        self.assertEqual(["connection.url"], list(errors), url)
        for word in ("Could not connect to database. ", *words):
            self.assertIn(word, errors["connection.url"][0], url)
        return errors["connection.url"][0]

    def test_mariadb_trusts_what_it_is_told_to(self):
        ca, other = self.tls.path("ca.pem"), self.tls.path("other-ca.pem")
        advice = "check sslMode and serverSslCert in connection.url"
        for scheme in ("mariadb", "mysql"):
            url = lambda host, scheme=scheme, **parameters: self.url_of("maria", host, parameters, scheme=scheme)
            self.refused(url("127.0.0.1", sslMode="DISABLED"), "Access denied for user 'ann'")
            self.accepted(url("127.0.0.1", sslMode="REQUIRED"))
            self.accepted(url("127.0.0.1", sslMode="VERIFY_CA", serverSslCert=ca))
            self.accepted(url("127.0.0.1", sslMode="VERIFY_CA", trustCertificateKeyStoreUrl=f"file:{ca}", enabledTLSProtocols="TLSv1.2"))
            self.accepted(url("localhost", sslMode="VERIFY_IDENTITY", serverSslCert=ca))
            self.refused(url("127.0.0.1", sslMode="VERIFY_IDENTITY", serverSslCert=ca), advice, "must name the host")
            self.refused(url("127.0.0.1", sslMode="VERIFY_CA", serverSslCert=other), advice, "the authority that signed")
            self.refused(url("localhost", sslMode="VERIFY_IDENTITY", serverSslCert=other), advice)
            self.refused(url("127.0.0.1", sslMode="VERIFY_CA"), "needs serverSslCert=")
            self.refused(url("127.0.0.1", sslMode="PERHAPS"), "sslMode 'perhaps' is unknown")
            self.refused(url("127.0.0.1", sslMode="VERIFY_CA", serverSslCert="/x/store.jks"), "convert '/x/store.jks' to PEM")
        # As settings of the connector, which win over the URL.
        self.accepted(self.url_of("maria", "localhost", {"sslMode": "DISABLED"}), connection_sslMode="VERIFY_IDENTITY", connection_serverSslCert=ca)
        # An authority that no file names is not trusted.
        self.refused(self.url_of("maria", "localhost", {"sslMode": "VERIFY_IDENTITY"}), advice)

    def test_mariadb_lets_in_clients_with_certificates(self):
        ca = self.tls.path("ca.pem")
        url = lambda **parameters: self.url_of("maria", "127.0.0.1", {"sslMode": "VERIFY_CA", "serverSslCert": ca, **parameters})
        self.refused(url(), "Access denied for user 'carla'", user="carla")
        self.accepted(url(clientCertificateKeyStoreUrl=self.tls.path("carla-both.pem")), user="carla")
        self.refused(url(clientCertificateKeyStoreUrl=self.tls.path(f"{PG_USER}-both.pem")), "Access denied for user 'carla'", user="carla")
        self.accepted(url(clientCertificateKeyStoreUrl=self.tls.path("carla-locked.pem"), clientCertificateKeyStorePassword=PHRASE), user="carla")
        message = self.refused(url(clientCertificateKeyStoreUrl=self.tls.path("carla-locked.pem"), clientCertificateKeyStorePassword=SECRET), user="carla")
        self.assertNotIn(SECRET, message)
        self.refused(url(clientCertificateKeyStoreUrl="/no/such.pem"), "clientCertificateKeyStoreUrl", user="carla")

    def test_postgresql_trusts_what_it_is_told_to(self):
        ca, other = self.tls.path("ca.pem"), self.tls.path("other-ca.pem")
        advice = "check sslmode and sslrootcert in connection.url"
        url = lambda host, **parameters: self.url_of("postgres", host, parameters)
        self.refused(url("127.0.0.1", sslmode="disable"), "no pg_hba.conf entry for host", "check connection.user")
        for mode in ("allow", "prefer", "require"):
            self.accepted(url("127.0.0.1", sslmode=mode))
        self.accepted(url("127.0.0.1", sslmode="verify-ca", sslrootcert=ca))
        self.accepted(url("localhost", sslmode="verify-full", sslrootcert=ca))
        self.accepted(url("localhost", ssl="true", sslrootcert=ca))
        self.accepted(url("127.0.0.1", ssl="true", sslfactory="org.postgresql.ssl.NonValidatingFactory"))
        self.refused(url("127.0.0.1", sslmode="verify-full", sslrootcert=ca), 'does not match host name "127.0.0.1"', advice)
        self.refused(url("127.0.0.1", ssl="true", sslrootcert=ca), 'does not match host name "127.0.0.1"', advice)
        self.refused(url("127.0.0.1", sslmode="verify-ca", sslrootcert=other), "certificate verify failed", advice)
        self.refused(url("127.0.0.1", sslmode="verify-ca", sslrootcert="/no/such.pem"), '"/no/such.pem" does not exist', advice)
        self.refused(url("127.0.0.1", sslmode="verify-ca", sslrootcert="/x/store.p12"), "convert '/x/store.p12' to PEM")
        self.accepted(url("localhost"), connection_sslmode="verify-full", connection_sslrootcert=ca)

    def test_postgresql_lets_in_clients_with_certificates(self):
        url = lambda **parameters: self.url_of("postgres", "127.0.0.1", {"sslmode": "verify-ca", "sslrootcert": self.tls.path("ca.pem"), **parameters}, "strict")
        own = {"sslcert": self.tls.path(f"{PG_USER}.pem"), "sslkey": self.tls.path(f"{PG_USER}.key")}
        self.refused(url(), "requires a valid client certificate")
        self.accepted(url(**own), table_types="SYSTEM TABLE")
        self.refused(url(sslcert=self.tls.path("carla.pem"), sslkey=self.tls.path("carla.key")), "authentication failed for user")
        locked = {"sslcert": self.tls.path("carla.pem"), "sslkey": self.tls.path("carla-locked.key")}
        # The phrase opens the key: the server then sees a certificate, though not this user's.
        self.refused(url(**locked, sslpassword=PHRASE), "authentication failed for user")
        self.assertNotIn(SECRET, self.refused(url(**locked, sslpassword=SECRET), "carla-locked.key"))

    def test_errors_say_what_is_wrong_and_show_no_password(self):
        for kind, user in (("maria", "ann"), ("postgres", PG_USER)):
            url = self.url_of(kind, "127.0.0.1", {"sslMode": "REQUIRED"} if kind == "maria" else {"sslmode": "require"})
            wrong = self.refused(url, f"'{user}'", "check connection.user", "127.0.0.1:", password=SECRET)
            missing = self.refused(url.replace("/shop", "/nosuch"), "nosuch" if kind == "postgres" else "Access denied", user=user)
            down = self.refused(url.replace(f":{self.maria.port if kind == 'maria' else self.postgres.port}/", ":1/"), "127.0.0.1:1",
                                "check that the server runs")
            in_url = self.validate(url + f"&password={SECRET}", user, "") if kind == "postgres" else self.validate(url.replace("//", f"//{user}:{SECRET}@"), None, None)
            self.assertNotIn(SECRET, wrong + missing + down + json.dumps(in_url))
        self.refused(self.url_of("maria", "127.0.0.1", {"sslMode": "DISABLED"}, "nosuch"), "Unknown database 'nosuch'", "create the database", user="root")
        for url, product in ((f"jdbc:oracle:thin:scott/{SECRET}@//h:1521/x", "Oracle is not supported; "),
                             (f"jdbc:sqlserver://h:1433;databaseName=x;user=sa;password={SECRET}", "SQL Server is not supported; "), ("jdbc:nosuch://h/x", "")):
            message = self.refused(url, "No suitable driver found for jdbc:", product + "supported are MariaDB, MySQL, PostgreSQL and SQLite: ")
            self.assertNotIn(SECRET, message)
        # A running task says the same, and asks about misspelt parameters.
        for kind, user in (("maria", "ann"), ("postgres", PG_USER)):
            url = self.url_of(kind, "localhost", {"sslMode": "REQUIRED", "sslmood": "x"} if kind == "maria" else {"sslmood": "x", "useSSL": "true"})
            sink = {"connector.class": "JdbcSinkConnector", "topics": "t", "connection.url": url, "connection.user": user,
                    "connection.password": PG_PASSWORD if kind == "postgres" else PASSWORD, "connection.sslpassword": PHRASE}
            self.worker.must_create(f"{kind}-sink", sink)
            self.worker.wait_for_states(f"{kind}-sink", ["RUNNING", "RUNNING"])
            self.worker.create(f"{kind}-broken", {**sink, "connection.password": SECRET})
            self.assertIn("sslmood (did you mean sslMode: " if kind == "maria" else "sslmood (did you mean sslmode: ", self.worker.log_text())
        for secret in (SECRET, PHRASE, PASSWORD, PG_PASSWORD):
            self.assertNotIn(secret, self.worker.log_text())

    def test_a_server_that_goes_away_while_tls_begins_is_no_mistake_of_the_settings(self):
        with socket.create_connection(("127.0.0.1", self.maria.port)) as real:
            greeting = real.recv(1000)
        for kind, first, then in (("maria", greeting, b""), ("postgres", b"", b"S")):
            server = CutOff(first, then)
            self.addCleanup(server.stop)
            parameters = {"sslMode": "REQUIRED"} if kind == "maria" else {"sslmode": "require"}
            url = self.url_of(kind, "127.0.0.1", parameters).replace(str(self.maria.port if kind == "maria" else self.postgres.port), str(server.port))
            self.assertNotIn("certificate", self.refused(url, "check that the server runs"))

    def test_sockets_lists_of_hosts_and_methods_of_authentication(self):
        path = self.folder / "mariadb/socket"
        self.accepted(f"jdbc:mariadb://localhost/shop?localSocket={path}", user="root")
        self.refused(f"jdbc:mariadb://localhost/shop?localSocket={path}-not", "check that the server runs", user="root")
        folder = str(self.postgres.folder).replace("/", "%2F")
        self.accepted(f"jdbc:postgresql://{folder}:{self.postgres.port}/shop")
        for kind in ("maria", "postgres"):
            url = self.url_of(kind, "127.0.0.1:1,127.0.0.1", {"sslMode": "REQUIRED"} if kind == "maria" else {"sslmode": "require"})
            self.accepted(url)
        self.maria.sql("INSTALL SONAME 'auth_ed25519'; CREATE USER edd@'127.0.0.1' IDENTIFIED VIA ed25519 USING PASSWORD('" + PASSWORD + "');"
                       "GRANT ALL ON shop.* TO edd@'127.0.0.1'")
        self.accepted(self.url_of("maria", "127.0.0.1", {}), user="edd")
        self.postgres.sql("SET password_encryption = 'scram-sha-256'; CREATE ROLE sam LOGIN PASSWORD 'sam-password'", "shop")
        self.accepted(self.url_of("postgres", "127.0.0.1", {"channelBinding": "require"}), user="sam", password="sam-password")
        self.refused(self.url_of("postgres", "127.0.0.1", {}), "password authentication failed", user="sam", password=SECRET)

    def test_lint_online_says_the_same(self):
        secrets = self.folder / "secrets.properties"
        secrets.write_text(f"wrong={SECRET}\nright={PG_PASSWORD}\n")
        (self.folder / "lint.properties").write_text(
            "key.converter=org.apache.kafka.connect.json.JsonConverter\nvalue.converter=org.apache.kafka.connect.json.JsonConverter\n"
            "config.providers=file\nconfig.providers.file.class=org.apache.kafka.common.config.provider.FileConfigProvider\n")

        def lint(url, password="right"):
            config = {"name": "pg", "connector.class": "JdbcSinkConnector", "topics": "t", "connection.url": url, "connection.user": PG_USER,
                      "connection.password": "${file:%s:%s}" % (secrets, password)}
            (self.folder / "pg.json").write_text(json.dumps(config))
            done = subprocess.run([PROGRAM, "lint", "--online", "lint.properties", "pg.json"], capture_output=True, text=True, cwd=self.folder, timeout=60,
                                  env=os.environ)
            self.assertNotIn(SECRET, done.stdout + done.stderr)
            return done.returncode, done.stdout

        url = self.url_of("postgres", "127.0.0.1", {})
        self.assertEqual(0, lint(url)[0], lint(url)[1])
        for bad, password, words in ((url, "wrong", "password authentication failed"), (url.replace("/shop", "/nosuch"), "right", 'database "nosuch" does not exist'),
                                     ("jdbc:oracle:thin:@h:1521:x", "right", "Oracle is not supported"), (f"{url}sslmode=perhaps", "right", "use disable, allow")):
            code, text = lint(bad, password)
            self.assertEqual(2, code, text)
            self.assertIn("pg.json:connection.url: error: Could not connect to database. ", text)
            self.assertIn(words, text)


if __name__ == "__main__":
    unittest.main()
