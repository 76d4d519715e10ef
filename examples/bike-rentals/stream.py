"""Play the year 2012 to the endpoint: ask for every hour, and say at the end of each day how many were rented.

A year passes in a minute here, so the stream waits where a renewal trains or judges; in life it just goes on.
"""

from __future__ import annotations

import argparse
import csv
import http.client
import json
import os
import time
from itertools import groupby
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

HOURS = Path(__file__).parent / "data" / "2012.csv"
INPUTS = ("hour", "weekday", "working_day", "holiday", "season", "weather", "temperature", "humidity", "wind")
OVER = ("promoted", "rejected", "skipped")
GOES_ON_WITH_ROWS = ("collecting", "rolling_out")
DAY_S = 0.05


class Platform:
    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._connection = kind(parts.netloc, timeout=60)
        self._headers = {"content-type": "application/json"}
        if key := os.environ.get("OPSLOOP_TOKEN"):
            self._headers["authorization"] = f"Bearer {key}"

    def ask(self, method: str, path: str, body: object = None) -> Any:
        self._connection.request(method, path, None if body is None else json.dumps(body), self._headers)
        answer = self._connection.getresponse()
        found = json.loads(answer.read())
        if answer.status >= 300:
            raise SystemExit(f"{method} {path}: {found['detail']}")
        return found

    def play(self, rows: list[dict[str, str]]) -> float:
        """Ask for the hours of a day, then tell what they were; the mean error of the predictions."""
        answers = [
            self.ask("POST", "/endpoints/rentals/predict", {"inputs": [{name: float(row[name]) for name in INPUTS}]})
            for row in rows
        ]
        known = [float(row["rentals"]) for row in rows]
        labels = [
            {"request_id": each["request_id"], "label": rented} for each, rented in zip(answers, known, strict=True)
        ]
        self.ask("POST", "/endpoints/rentals/labels", {"labels": labels})
        errors = [abs(each["predictions"][0] - rented) for each, rented in zip(answers, known, strict=True)]
        return sum(errors) / len(errors)

    def renewal(self) -> dict[str, Any] | None:
        """The newest renewal of a model that served."""
        found = self.ask("GET", "/api/renewals?endpoint=rentals&limit=1")["items"]
        return found[0] if found and found[0]["champion"] else None


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--url", default=os.environ.get("OPSLOOP_URL", "http://127.0.0.1:8700"))
    words.add_argument("--until-renewed", action="store_true", help="stop at the end of the first renewal")
    asked = words.parse_args()
    platform, told, errors = Platform(asked.url), "", []
    with HOURS.open(newline="") as file:
        days = [(day, list(rows)) for day, rows in groupby(csv.DictReader(file), lambda row: row["at"][:10])]
    for day, rows in days:
        errors.append(platform.play(rows))
        if len(errors) == 14:
            print(f"{day}  the last two weeks: {sum(errors) / len(errors):4.0f} bicycles off in an hour", flush=True)
            errors = []
        while (renewal := platform.renewal()) is not None:
            now = f"{renewal['id']} {renewal['state']}"
            if now != told:
                said = renewal["said"] or renewal["reason"]
                print(f"{day}  {renewal['state'].replace('_', ' ')}: {said}", flush=True)
            told = now
            if renewal["state"] in OVER and asked.until_renewed:
                return
            if renewal["state"] in (*OVER, *GOES_ON_WITH_ROWS):
                break
            time.sleep(DAY_S)
        time.sleep(DAY_S)


if __name__ == "__main__":
    main()
