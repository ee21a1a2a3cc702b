"""Stands in for `roas batch` and `roas dbt`: notes how it is called and answers as it is told.

`stand_in_tool.py FOLDER TOOL words…`. `FOLDER/answers.json` is a list of `{"words": [...], "exit":
n, "answer": {...}, "times": n, "sleep": seconds}`; the first one left whose words are all in the
call is used, `times` times if that is said. Without one the answer is `{}` and the exit code 0.
"""

import fcntl
import json
import os
import sys
import time
from pathlib import Path
from typing import Any


def take(folder: Path, call: list[str]) -> dict[str, Any]:
    """Note a call; the answer for it, used up where its number is limited."""
    file = folder / "answers.json"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with (folder / "calls.jsonl").open("a") as calls:
            calls.write(json.dumps({"call": call, "pid": os.getpid()}) + "\n")
        answers: list[dict[str, Any]] = json.loads(file.read_text())
        for answer in answers:
            if set(answer["words"]) <= set(call) and answer.get("times", 1) > 0:
                if "times" in answer:
                    answer["times"] -= 1
                    file.write_text(json.dumps(answers))
                return answer
    return {}


def main() -> int:
    """Answer one call."""
    folder, *call = sys.argv[1:]
    answer = take(Path(folder), call)
    time.sleep(answer.get("sleep", 0))
    if "say" in answer:
        print(f"Error: {answer['say']}", file=sys.stderr)
    print(json.dumps(answer.get("answer", {})))
    return int(answer.get("exit", 0))


if __name__ == "__main__":
    sys.exit(main())
