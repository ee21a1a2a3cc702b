"""The registry as a file: every schema under its id, every subject's versions and mode.

Records carry nothing of their schema but its id, so ids are what a restore has to bring back. It
asks the registry for import mode (ids are given with the schemas); where that is not to be had,
schemas are registered in the order of their ids, which gives an empty registry the same ones as
long as none is missing between them. Either way every id is read back, and a wrong one is named.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import httpx

from roas_contracts.errors import InputError, MisconfigurationError, RoasError, TransientError

FORMAT: Final = 1
_SECONDS: Final = 10.0
_NOT_FOUND: Final = 404


class NotRestoredError(RoasError):
    """The registry can't be made to hold the same ids."""


class RegistryFile:
    """Backs a registry up and restores it.

    Args:
        url: base URL of the Confluent API.
    """

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")
        self._client = httpx.Client(timeout=_SECONDS)

    def close(self) -> None:
        """Let go of the connection."""
        self._client.close()

    def content(self) -> dict[str, Any]:
        """Everything the registry holds; the same for the same registry.

        Raises:
            TransientError: it does not answer.
        """
        versions = []
        modes: dict[str, str] = {}
        for subject in sorted(self._get("/subjects")):
            path = f"/subjects/{quote(subject, safe='')}/versions"
            for number in sorted(self._get(path)):
                found = self._get(f"{path}/{number}")
                versions.append(
                    {
                        "subject": subject,
                        "version": found["version"],
                        "id": found["id"],
                        "type": found.get("schemaType") or "AVRO",
                        "schema": found["schema"],
                        "references": found.get("references") or [],
                    }
                )
            mode = self._get(f"/config/{quote(subject, safe='')}", missing={})
            if mode:
                modes[subject] = mode.get("compatibilityLevel") or mode["compatibility"]
        config = self._get("/config", missing={})
        return {
            "format": FORMAT,
            "versions": versions,
            "modes": modes,
            "default_mode": config.get("compatibilityLevel") or config.get("compatibility"),
        }

    def restore(self, content: Mapping[str, Any]) -> str:
        """Put a backup into an empty registry; how the ids came about.

        What is there already and is the same is left alone: a restore that was killed goes on.

        Raises:
            NotRestoredError: the registry holds something else, or gave another id; names it.
            TransientError: it does not answer.
        """
        wanted = {(each["subject"], each["version"]): each for each in content["versions"]}
        for each in self.content()["versions"]:
            known = wanted.get((each["subject"], each["version"]))
            if known is None or known["id"] != each["id"]:
                raise NotRestoredError(
                    f"the registry is not empty: it has {each['subject']} version "
                    f"{each['version']} under the id {each['id']}, which is not in the backup"
                )
        imports = self._put("/mode", {"mode": "IMPORT"}).is_success
        try:
            for each in sorted(content["versions"], key=lambda v: (v["id"], v["version"])):
                self._register(each, imports)
        finally:
            if imports:
                self._put("/mode", {"mode": "READWRITE"})
        for subject, mode in content["modes"].items():
            self._checked(self._put(f"/config/{quote(subject, safe='')}", {"compatibility": mode}))
        if content["default_mode"]:
            self._checked(self._put("/config", {"compatibility": content["default_mode"]}))
        self._check_same(content)
        return "import mode" if imports else "order of ids"

    def _register(self, each: Mapping[str, Any], imports: bool) -> None:
        body = {"schema": each["schema"], "schemaType": each["type"]}
        if each["references"]:
            body["references"] = each["references"]
        if imports:
            body |= {"id": each["id"], "version": each["version"]}
        path = f"/subjects/{quote(each['subject'], safe='')}/versions"
        got = self._checked(self._request("POST", path, body)).get("id")
        if got != each["id"]:
            raise NotRestoredError(
                f"{each['subject']} version {each['version']} was given the id {got}, its records "
                f"carry {each['id']}: this registry has no import mode, and can't be given ids "
                "that are not in a row; restore its own database instead"
            )

    def _check_same(self, content: Mapping[str, Any]) -> None:
        found = {(v["subject"], v["version"]): v["id"] for v in self.content()["versions"]}
        for each in content["versions"]:
            got = found.get((each["subject"], each["version"]))
            if got != each["id"]:
                raise NotRestoredError(
                    f"{each['subject']} version {each['version']} has the id {got} now, "
                    f"in the backup {each['id']}"
                )

    def _get(self, path: str, missing: Any = None) -> Any:
        response = self._request("GET", path)
        if response.status_code == _NOT_FOUND and missing is not None:
            return missing
        return self._checked(response)

    def _put(self, path: str, body: Mapping[str, Any]) -> httpx.Response:
        return self._request("PUT", path, body)

    def _request(self, method: str, path: str, body: Any = None) -> httpx.Response:
        try:
            response = self._client.request(method, self._url + path, json=body)
        except httpx.HTTPError as error:
            raise TransientError(f"the registry at {self._url} does not answer: {error}") from error
        except httpx.InvalidURL as error:
            raise MisconfigurationError(
                f"ROAS_BATCH_REGISTRY_URL is no URL: {self._url}"
            ) from error
        return response

    def _checked(self, response: httpx.Response) -> Any:
        if not response.is_success:
            raise TransientError(
                f"the registry answers {response.status_code} to {response.request.method} "
                f"{response.request.url.path}: {response.text[:200]}"
            )
        return response.json()


def write(path: Path, content: Mapping[str, Any]) -> str:
    """Write a backup, whole or not at all; its SHA-256.

    Raises:
        TransientError: the file can't be written.
    """
    text = json.dumps(content, sort_keys=True, ensure_ascii=False)
    digest = hashlib.sha256(text.encode()).hexdigest()
    unfinished = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with unfinished.open("w", encoding="utf-8") as file:
            file.write(json.dumps({"sha256": digest, "registry": text}, ensure_ascii=False))
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except OSError as error:
        raise TransientError(f"{path} can't be written: {error.strerror}") from error
    return digest


def read(path: Path) -> dict[str, Any]:
    """Read a backup.

    Raises:
        InputError: it can't be read, or is not what was written; names the file.
    """
    try:
        whole = json.loads(path.read_text(encoding="utf-8"))
        text, digest = whole["registry"], whole["sha256"]
        content: dict[str, Any] = json.loads(text)
    except OSError as error:
        raise InputError(f"{path} can't be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path} is no backup of a registry: {error}") from error
    if hashlib.sha256(text.encode()).hexdigest() != digest:
        raise InputError(f"{path} is damaged: its content has another SHA-256 than it says")
    if content.get("format") != FORMAT:
        raise InputError(f"{path} has the format {content.get('format')}, expected is {FORMAT}")
    return content
