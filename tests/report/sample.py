"""Two runs to look at: one where everything went wrong and every text is hostile, and one that passed."""

from __future__ import annotations

import base64
import io
from datetime import UTC, date, datetime
from pathlib import Path

from markupsafe import Markup
from PIL import Image

from gate.access.decision import Decision, Ternary
from gate.access.matrix import Cell, Matrix, PrincipalRow
from gate.access.matrix_html import render
from gate.check import Rejection, SelfTest
from gate.evidence.store import EvidenceRecord
from gate.report.figures import Bar, bars
from gate.report.findings import findings
from gate.report.page import ReportPage
from gate.scan.exceptions.reading import load
from gate.scan.findings import Finding as Vulnerability
from gate.scan.report import ScanReport
from gate.scan.statuses import Mode
from gate.verdict import CRITERIA, ScenarioOutcome, StepOutcome, Verdict

HOSTILE = "<script>alert(1)</script>\"'><img src=http://198.51.100.1/x onerror=alert(1)>{{ 7*7 }}\u202e" + "W" * 300
CAUSE = Rejection(
    "1 file cannot be read by Lambda's user: /etc/security/opasswd (100600)",
    "/etc/security/opasswd",
    "chmod -R a+rX them in the layer that makes them",
)
BLOCKED = Rejection("nothing was pushed, and so nothing could be looked at", "", "correct the image")
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
FOUND = 10_000
_FEW = 10
_REGISTER = Path(__file__).resolve().parents[2] / "image" / "exceptions.yaml"


def failing() -> ReportPage:
    """A failed rehearsal: hostile texts, one cause that hits many scenarios, undecided ones, 10,000 findings."""
    proofs = [SelfTest("gate.scan.result_checks.free_of", True, "no"), SelfTest(HOSTILE, False, HOSTILE)]
    scenarios = [
        _scenario(n, f"scenario {n}.{k} about {HOSTILE if k == 3 else 'the release'}", k)
        for n in CRITERIA if n != 3 for k in range(5)
    ]  # fmt: skip
    reasons = [f"AC{c.criterion}: {c.name}" for c in scenarios if c.status == "failed"]
    beside = ("the run was interrupted", HOSTILE)
    verdict = Verdict("REHEARSAL FAILED", 1, (*beside, *reasons), {}, (HOSTILE,), beside)
    records = [_record(n, HOSTILE if n % 7 == 0 else "answer " * 900) for n in range(1, 201)]
    return _page(verdict, scenarios, records, proofs, found=FOUND, text=HOSTILE)


def passing() -> ReportPage:
    """A rehearsal in which everything held."""
    scenarios = [_scenario(n, f"scenario {n}.{k} holds", 0) for n in CRITERIA for k in range(3)]
    verdict = Verdict("REHEARSAL PASSED", 0, (), {}, ("The vulnerability data is current",))
    return _page(verdict, scenarios, [_record(n, {"n": n}) for n in range(1, 201)], [SelfTest("a check", True, "no")],
                 found=5, text="naver-sms-automation v1.0.0")  # fmt: skip


SAMPLES = {"failing": failing, "passing": passing}


def _page(verdict: Verdict, scenarios: list[ScenarioOutcome], records: list[EvidenceRecord], proofs: list[SelfTest],
          *, found: int, text: str) -> ReportPage:  # fmt: skip
    document = {
        "target": "local",
        "judges": {"said_no": sum(p.said_no for p in proofs), "of": len(proofs)},
        "valid_until": None,
    }
    register = load(_REGISTER).at("local", date(2026, 1, 2)) if found < _FEW else None
    summary, listed = [("Digest", f"sha256:{'0' * 64}"), ("Tags", text)], findings(scan(found, text), register)
    return ReportPage(verdict, document, text, summary, _pictures(text), scenarios, records, proofs, findings=listed)


def _scenario(criterion: int, name: str, kind: int) -> ScenarioOutcome:
    """Kinds: 0 passed, 1 failed by a check, 2 not run, 3 failed because the facts could not be had, 4 waits for 1."""
    status = ("passed", "failed", "not run", "failed", "failed")[kind]
    said = ((), (CAUSE,), (), (Rejection(HOSTILE, HOSTILE, HOSTILE, HOSTILE),), (BLOCKED,))[kind]
    numbers = tuple(range(criterion * 20 + kind * 4 - 19, criterion * 20 + kind * 4 - 16))
    steps = (
        () if kind == 2 else (StepOutcome("Given", name, "passed", 0.1, numbers), StepOutcome("Then", name, status, 1))
    )
    reason = "only AWS can prove it" if kind == 2 else ""
    blocked_by = (CAUSE,) if kind == 4 else ()
    return ScenarioOutcome(
        name, criterion, status, reason, "simulated", kind == 2, kind in (0, 1, 2), 1.5, steps, said, blocked_by
    )


def _record(number: int, answer: object) -> EvidenceRecord:
    asked = "docker image inspect naver-sms-automation:latest"
    return EvidenceRecord(
        number, 1, "scenario", f"record {number}", asked, answer, "local", "simulated", "", "2026-01-02", "0" * 64
    )


def scan(found: int, text: str) -> ScanReport:
    """A scan with so many findings, in all severities if they are more than a few."""
    words = ("LOW", "MEDIUM", "HIGH", "CRITICAL")[: 1 if found < _FEW else 4]
    each = tuple(_vulnerability(n, words[n % len(words)], text) for n in range(found))
    return ScanReport("sha256:0", "v1.0.0", Mode.BASIC, "COMPLETE", NOW, NOW, each, (), 1, NOW, "rescanned")


def _vulnerability(number: int, severity: str, text: str) -> Vulnerability:
    return Vulnerability(f"CVE-2026-{number:05d}", text, "1.0", "1.1", severity, 1.0, text, "", Mode.BASIC)


def _pictures(text: str) -> list[Markup]:
    drawn = io.BytesIO()
    Image.effect_noise((640, 360), 40).save(drawn, "PNG")
    encoded = base64.b64encode(drawn.getvalue()).decode()
    shot = Markup('<figure><figcaption>{}</figcaption><img alt="{}" src="data:image/png;base64,{}"></figure>')
    return [
        shot.format(text, text, encoded),
        bars("Init", [Bar(text, 12.0, "12 s", "bad"), Bar("b", 3, "3 s", "good")], limit=Bar("limit", 10.0, "10 s")),
        bars("Layers", [Bar(text, 700.0, "700 MB"), Bar("COPY", 1.0, "1 MB", begin=699.0)], wide=True),
        Markup('<figure class="wide"><div class="scroll" tabindex="0" role="region" aria-label="Who">{}</div></figure>')
        .format(Markup(render(_matrix(text), [("reader", "pull")]))),  # noqa: S704 - escaped where it is made
    ]  # fmt: skip


def _matrix(text: str) -> Matrix:
    yes, open_, no = (Decision(answer, (text,)) for answer in (Ternary.YES, Ternary.UNDECIDED, Ternary.NO))
    cells = (("push", Cell((("a", yes),))), ("pull", Cell((("a", yes), ("b", no)))),
             ("delete", Cell((("a", open_),))), ("rules", Cell((("a", no),))))  # fmt: skip
    rows = (PrincipalRow(f"arn:aws:iam::654654307503:role/{text}", True, cells), PrincipalRow("reader", True, cells))
    return Matrix("naver-sms-automation", tuple(name for name, _ in cells), rows)
