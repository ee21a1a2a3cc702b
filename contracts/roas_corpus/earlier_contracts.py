"""The contracts as they were before: what an earlier release of a service is built with."""

import shutil
from pathlib import Path

import yaml

from roas_contracts.gate import published
from roas_contracts.subjects import load_subjects


def earlier_contracts(version: int, folder: Path) -> Path:
    """Copy the contracts without the versions after this one; returns the folder.

    A service whose ROAS_CONTRACTS_DIR is this folder reads and writes nothing newer.
    """
    for subject in load_subjects().values():
        target = folder / subject.name
        shutil.copytree(subject.directory, target)
        for later in subject.versions[version:]:
            (target / later.path.name).unlink()
        described = subject.file.model_dump()
        described["examples"] = [
            {**example, "versions": [n for n in example["versions"] if n <= version]}
            for example in described["examples"]
            if min(example["versions"]) <= version
        ]
        listed = {target / example["file"] for example in described["examples"]}
        for path in sorted((target / "examples").iterdir()):
            if path not in listed:
                path.unlink()
        (target / "subject.yaml").write_text(yaml.safe_dump(described), "utf-8")
    kept = published.versions_in(folder)
    published.write(folder, {name: published.sha256(text) for name, text in kept.items()})
    return folder
