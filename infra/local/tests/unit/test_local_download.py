"""Downloads against a small HTTP server on the loopback interface."""

import hashlib
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from roas_local.artifacts import Artifact
from roas_local.download import DownloadError, download, missing

CONTENT = bytes(range(256)) * 1_000


def artifact(content: bytes = CONTENT, name: str = "thing") -> Artifact:
    digest = hashlib.sha256(content).hexdigest()
    return Artifact("org.example", name, "1.0", "jar", "", digest, len(content))


class Maven(ThreadingHTTPServer):
    """Serves files by path, honours ranges, and notes what was asked for."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, bytes] = {}
        self.ranges: list[str | None] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def publish(self, thing: Artifact, content: bytes = CONTENT) -> None:
        self.files[f"/{thing.path}"] = content


class Handler(BaseHTTPRequestHandler):
    server: Maven

    def do_GET(self) -> None:  # noqa: N802 (the base class' name)
        wanted = self.headers.get("Range")
        self.server.ranges.append(wanted)
        content = self.server.files.get(self.path)
        if content is None:
            self.send_error(404)
            return
        start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted else 0
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        self.wfile.write(content[start:])

    def log_message(self, *_: object) -> None:
        """Keep the test's output clean."""


@contextmanager
def serving() -> Iterator[Maven]:
    with Maven() as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture()
def maven() -> Iterator[Maven]:
    with serving() as server:
        yield server


def test_a_download_is_there_under_its_path(maven: Maven, tmp_path: Path) -> None:
    thing = artifact()
    maven.publish(thing)
    download([thing], tmp_path, maven.url)
    assert (tmp_path / thing.path).read_bytes() == CONTENT
    assert missing([thing], tmp_path) == []


def test_what_is_there_is_not_asked_for_again(maven: Maven, tmp_path: Path) -> None:
    thing = artifact()
    maven.publish(thing)
    download([thing], tmp_path, maven.url)
    download([thing], tmp_path, maven.url)
    assert len(maven.ranges) == 1


def test_an_interrupted_download_goes_on_where_it_stopped(maven: Maven, tmp_path: Path) -> None:
    thing = artifact()
    maven.publish(thing)
    part = tmp_path / f"{thing.path}.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(CONTENT[:1_000])
    download([thing], tmp_path, maven.url)
    assert maven.ranges == ["bytes=1000-"]
    assert (tmp_path / thing.path).read_bytes() == CONTENT


def test_other_bytes_than_the_pinned_ones_are_refused(maven: Maven, tmp_path: Path) -> None:
    thing = artifact()
    maven.publish(thing, CONTENT[::-1])
    with pytest.raises(DownloadError, match=r"org\.example:thing:1\.0 .* SHA-256"):
        download([thing], tmp_path, maven.url)
    assert list(tmp_path.rglob("*.jar*")) == []


def test_an_artifact_the_server_does_not_have_is_named(maven: Maven, tmp_path: Path) -> None:
    there, absent = artifact(name="there"), artifact(name="absent")
    maven.publish(there)
    with pytest.raises(DownloadError, match=r"org\.example:absent:1\.0"):
        download([there, absent], tmp_path, maven.url)


def test_without_a_network_the_artifact_is_named(tmp_path: Path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # not listening: refused
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
        with pytest.raises(DownloadError, match=r"org\.example:thing:1\.0.*network") as error:
            download([artifact()], tmp_path, url)
    assert error.value.exit_code == 3
