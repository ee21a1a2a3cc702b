"""Downloads pinned artifacts: in parallel, resumable, verified, atomic."""

import errno
import hashlib
import threading
from collections.abc import Iterable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from pathlib import Path

import httpx
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn
from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_exponential

from roas_contracts.errors import MisconfigurationError, TransientError
from roas_local.artifacts import Artifact

DEFAULT_MAVEN_URL = "https://repo1.maven.org/maven2"

_CHUNK_BYTES = 1 << 18
_PARALLEL = 4
_TIMEOUT = httpx.Timeout(30.0)


class DownloadError(TransientError):
    """An artifact could not be fetched; the message names it."""


def missing(artifacts: Iterable[Artifact], repository: Path) -> list[Artifact]:
    """Those that are not in the local repository (by presence and size)."""
    return [a for a in artifacts if not _present(repository / a.path, a.size)]


def download(artifacts: Sequence[Artifact], repository: Path, base_url: str) -> None:
    """Fetch what is missing into a folder laid out like a Maven repository.

    An interrupted download goes on where it stopped. A file appears under its name only when its
    SHA-256 has been checked.

    Raises:
        DownloadError: no network, or the server has other bytes than the pinned ones.
        MisconfigurationError: the disk is full or can't be written.
    """
    wanted = missing(artifacts, repository)
    if not wanted:
        return
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    progress = Progress(*columns, TransferSpeedColumn(), console=Console(stderr=True))
    task = progress.add_task(
        f"downloading {len(wanted)} Java artifacts", total=sum(a.size for a in wanted)
    )
    stop = threading.Event()
    with progress, httpx.Client(timeout=_TIMEOUT, follow_redirects=True) as client:
        fetcher = _Fetcher(client, base_url.rstrip("/"), repository, progress, task, stop)
        with ThreadPoolExecutor(_PARALLEL) as pool:
            futures = [pool.submit(fetcher.fetch, artifact) for artifact in wanted]
            try:
                done, _ = wait(futures, return_when=FIRST_EXCEPTION)
            finally:
                # Also on Ctrl-C: the others stop at their next chunk.
                if any(not future.done() or future.exception() for future in futures):
                    stop.set()
                    pool.shutdown(cancel_futures=True)
            for future in done:
                future.result()


class _StoppedError(Exception):
    """Another download failed, so this one was given up."""


class _Fetcher:
    def __init__(
        self,
        client: httpx.Client,
        base_url: str,
        repository: Path,
        progress: Progress,
        task: object,
        stop: threading.Event,
    ) -> None:
        self._client = client
        self._base_url = base_url
        self._repository = repository
        self._progress = progress
        self._task = task
        self._stop = stop

    def fetch(self, artifact: Artifact) -> None:
        target = self._repository / artifact.path
        part = target.with_name(f"{target.name}.part")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            self._transfer(artifact, part)
            found = _sha256(part)
        except httpx.HTTPError as error:
            raise DownloadError(
                f"{artifact.coordinate} could not be downloaded from {self._base_url} ({error}); "
                "the network is needed the first time"
            ) from None
        except OSError as error:
            full = error.errno in (errno.ENOSPC, errno.EDQUOT)
            why = "the disk is full" if full else str(error)
            raise MisconfigurationError(f"{artifact.coordinate} was not saved: {why}") from None
        if found != artifact.sha256:
            part.unlink()
            raise DownloadError(
                f"{artifact.coordinate} from {self._base_url} has SHA-256 {found}, "
                f"pinned is {artifact.sha256}"
            )
        part.replace(target)

    @retry(
        retry=retry_if_exception_type(httpx.HTTPError),
        stop=stop_after_attempt(3),
        wait=wait_exponential(max=4),
        reraise=True,
    )
    def _transfer(self, artifact: Artifact, part: Path) -> None:
        have = part.stat().st_size if part.exists() else 0
        if have > artifact.size:
            part.unlink()
            have = 0
        if have == artifact.size:
            return
        url = f"{self._base_url}/{artifact.path}"
        headers = {"Accept-Encoding": "identity", "Range": f"bytes={have}-"}
        with self._client.stream("GET", url, headers=headers) as response:
            response.raise_for_status()
            resumed = response.status_code == httpx.codes.PARTIAL_CONTENT
            with part.open("ab" if resumed else "wb") as out:
                for chunk in response.iter_raw(_CHUNK_BYTES):
                    if self._stop.is_set():
                        raise _StoppedError
                    out.write(chunk)
                    self._progress.advance(self._task, len(chunk))  # type: ignore[arg-type]


def _present(path: Path, size: int) -> bool:
    return path.is_file() and path.stat().st_size == size


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
