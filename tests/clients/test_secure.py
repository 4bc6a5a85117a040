"""TLS and SASL with a client nobody here wrote (kcat), and with the native tools."""
import os
import pathlib
import shutil
import subprocess
import sys
import unittest

from broker_support import Broker, free_port

if not shutil.which("kcat") or not shutil.which("openssl"):
    print("SKIPPED: kcat or openssl is not installed")
    sys.exit(77)

BIN = pathlib.Path(os.environ["MILLRACE_BUILD"]) / "bin" if "MILLRACE_BUILD" in os.environ else None


def openssl(folder, *arguments):
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


def make_certificates(folder):
    """A certificate authority, and a key with its certificate for the server and for a client."""
    openssl(folder, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-days", "2",
            "-subj", "/CN=test authority")
    (folder / "names").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
    for who in ("server", "client"):
        openssl(folder, "req", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{who}.key", "-out", f"{who}.csr", "-subj", f"/CN={who}")
        openssl(folder, "x509", "-req", "-in", f"{who}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2",
                "-extfile", "names", "-out", f"{who}.crt")
        (folder / f"{who}.pem").write_text((folder / f"{who}.key").read_text() + (folder / f"{who}.crt").read_text())


class Secure(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.broker = Broker()
        cls.folder = cls.broker.folder
        make_certificates(cls.folder)
        cls.tls, cls.sasl = free_port(), free_port()
        host = "127.0.0.1"
        cls.broker.properties.write_text("\n".join([
            f"listeners=PLAINTEXT://{host}:{cls.broker.port},SSL://{host}:{cls.tls},SASL_SSL://{host}:{cls.sasl}",
            "ssl.keystore.type=PEM", f"ssl.keystore.location={cls.folder}/server.pem",
            "ssl.truststore.type=PEM", f"ssl.truststore.location={cls.folder}/ca.pem",
            "listener.name.ssl.ssl.client.auth=required",
            "sasl.enabled.mechanisms=SCRAM-SHA-256,SCRAM-SHA-512,PLAIN",
            "listener.name.sasl_ssl.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required "
            "user_carol=\"carols secret\";",
        ]) + "\n")
        cls.broker.start()
        done = subprocess.run([BIN / "kafka-configs", "--bootstrap-server", cls.broker.bootstrap, "--alter", "--entity-type", "users",
                               "--entity-name", "alice", "--add-config", "SCRAM-SHA-256=[password=alices secret]"],
                              text=True, capture_output=True, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr

    @classmethod
    def tearDownClass(cls):
        code = cls.broker.stop()
        output = cls.broker.output()
        cls.broker.remove()
        assert code == 0, f"the broker ended with {code}:\n{output[-4000:]}"

    def kcat(self, port, *arguments, text=None):
        return subprocess.run(["kcat", "-b", f"localhost:{port}", "-X", f"ssl.ca.location={self.folder}/ca.pem",
                               "-X", "broker.address.family=v4", "-m", "5", *arguments],
                              input=text, text=True, capture_output=True, timeout=60)

    def exchange(self, port, *settings):
        """What is produced over this listener is consumed over it."""
        topic = f"over-{port}-{len(settings)}"
        lines = "".join(f"line {i} {'y' * 200}\n" for i in range(2000))
        sent = self.kcat(port, *settings, "-P", "-t", topic, "-p", "0", text=lines)
        self.assertEqual(sent.returncode, 0, sent.stderr)
        got = self.kcat(port, *settings, "-C", "-t", topic, "-p", "0", "-e", "-q", "-o", "beginning")
        self.assertEqual(got.stdout, lines)

    def test_tls_with_a_client_certificate(self):
        self.exchange(self.tls, "-X", "security.protocol=ssl", "-X", f"ssl.key.location={self.folder}/client.key",
                      "-X", f"ssl.certificate.location={self.folder}/client.crt")

    def test_tls_without_the_certificate_is_refused(self):
        done = self.kcat(self.tls, "-X", "security.protocol=ssl", "-L")
        self.assertNotEqual(done.returncode, 0)

    def sasl_settings(self, mechanism, user, password):
        return ["-X", "security.protocol=sasl_ssl", "-X", f"sasl.mechanism={mechanism}", "-X", f"sasl.username={user}",
                "-X", f"sasl.password={password}"]

    def test_scram_over_tls(self):
        self.exchange(self.sasl, *self.sasl_settings("SCRAM-SHA-256", "alice", "alices secret"))

    def test_plain_over_tls(self):
        self.exchange(self.sasl, *self.sasl_settings("PLAIN", "carol", "carols secret"), "-X", "client.id=carol")

    def test_wrong_passwords_are_refused_in_words(self):
        for mechanism, user in (("SCRAM-SHA-256", "alice"), ("SCRAM-SHA-256", "nobody"), ("PLAIN", "carol")):
            done = self.kcat(self.sasl, *self.sasl_settings(mechanism, user, "wrong"), "-L")
            self.assertNotEqual(done.returncode, 0, user)
            self.assertIn("uthentication failed", done.stderr, user)

    def test_the_native_tools_speak_it_too(self):
        settings = self.folder / "client.properties"
        settings.write_text("security.protocol=SASL_SSL\nsasl.mechanism=SCRAM-SHA-256\n"
                            "sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required "
                            "username=\"alice\" password=\"alices secret\";\n"
                            f"ssl.truststore.type=PEM\nssl.truststore.location={self.folder}/ca.pem\n")
        done = subprocess.run([BIN / "kafka-topics", "--bootstrap-server", f"localhost:{self.sasl}", "--command-config", settings,
                               "--create", "--topic", "by-tool"], text=True, capture_output=True, timeout=60)
        self.assertEqual((done.returncode, done.stdout), (0, "Created topic by-tool.\n"), done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
