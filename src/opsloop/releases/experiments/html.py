"""The report of an A/B test as one HTML file that needs nothing else, and whose policy lets nothing run or load."""

from __future__ import annotations

import base64
import hashlib
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from opsloop.releases.experiments import intervals, reading
from opsloop.releases.experiments.models import ExperimentReport

STYLE = """\
:root{color-scheme:light dark;--ink:#14181f;--paper:#fff;--edge:#8a93a0;--muted:#4d5663;--good:#177245;--bad:#b3261e}
@media(prefers-color-scheme:dark){:root{--ink:#e6e9ee;--paper:#171b22;--edge:#7b8594;--muted:#a9b2bf;--good:#5cc592;--bad:#ff8a80}}
body{font:14px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:64em;margin:2em auto}
body{padding:0 1em}
h1{font-size:24px}h2{font-size:20px}.muted{color:var(--muted)}.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{text-align:left;padding:6px 10px;border-bottom:1px solid var(--edge);vertical-align:top}
svg{width:200px;height:22px}line{stroke:var(--edge)}rect{fill:var(--muted)}circle{fill:var(--ink)}
.better rect,.within rect{fill:var(--good)}.worse rect{fill:var(--bad)}
"""


def render(report: ExperimentReport) -> str:
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    rows = [(each, intervals.bar(each)) for each in report.metrics]
    return _template().render(
        report=report, rows=rows, amount=reading.amount, level=reading.level, style=STYLE, policy=policy
    )


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("opsloop.releases.experiments"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    return environment.get_template("report.html")
