"""Contracts in every state, for the stand-in: real reports of the sample contracts, and lists as people have them."""

from datetime import UTC, datetime, timedelta
from typing import Any

from dealguard_api.report import Report
from dealguard_gateway.model import Contract
from tests.page.standin import Standin, contract_of

NOW = datetime.now(UTC).replace(microsecond=0)


def ago(**of: float) -> str:
    """A time before now, as the API writes it."""
    return (NOW - timedelta(**of)).isoformat().replace("+00:00", "Z")


def summary_of(report: Report) -> dict[str, Any]:
    """The summary that a contract with this report has."""
    return {
        "text": report.summary[:200],
        "contract_type": report.contract_type.value if report.contract_type else None,
        "risk_level": report.risk.level,
        "risk_score": report.risk.score,
        "findings": report.finding_counts.model_dump(),
        "engine": report.engine.name,
        "model": report.engine.model,
    }


def summary_at(level: str) -> dict[str, Any]:
    """A summary at this level of risk."""
    usual = {"text": "", "contract_type": None, "risk_score": 0, "findings": {}, "engine": "rules", "model": None}
    return {**usual, "risk_level": level}


def finished(standin: Standin, name: str, report: Report, pdf: bytes | None = None, **fields: Any) -> Contract:
    """A completed contract with its report, and its document if given."""
    usual: dict[str, Any] = {
        "summary": summary_of(report),
        "document": report.document.model_dump(),
        "created_at": ago(minutes=5),
        "queued_at": ago(minutes=5),
        "finished_at": ago(minutes=5, seconds=-34),
    }
    contract = contract_of(name, **{**usual, **fields})
    standin.state.reports[contract.id] = report.to_wire()
    if pdf is not None:
        standin.state.documents[contract.id] = pdf
    standin.put(contract)
    return contract


def running(standin: Standin, name: str, stage: str = "queued", **fields: Any) -> Contract:
    """A contract on its way."""
    status = "pending" if stage == "queued" else "processing"
    times = {"created_at": ago(seconds=12), "queued_at": ago(seconds=12)}
    contract = contract_of(name, status=status, stage=stage, **{**times, **fields})
    standin.put(contract)
    return contract


def failed(standin: Standin, name: str, reason: str, **fields: Any) -> Contract:
    """A contract without a report."""
    failure = {"reason": reason, "message": f"In English, from the API: {reason}."}
    contract = contract_of(name, status="failed", failure=failure, created_at=ago(hours=3), **fields)
    standin.put(contract)
    return contract


def several(standin: Standin, english: tuple[Report, bytes], german: tuple[Report, bytes]) -> None:
    """A list as an office has it in the morning."""
    running(
        standin,
        "running",
        "analyzing",
        file_name="Rahmenvertrag Wartung 2027.pdf",
        submitted_by="oidc:m.lenz@acme.example",
    )
    running(
        standin,
        "waiting",
        "queued",
        file_name="NDA Brandmoor Labs.pdf",
        created_at=ago(seconds=4),
        queued_at=ago(seconds=4),
    )
    finished(standin, "saas", *german, file_name="SaaS-Vertrag Quittenbaum.pdf", created_at=ago(minutes=26))
    finished(standin, "licence", *english, file_name="Software License Marrowgate.pdf", created_at=ago(hours=2))
    failed(standin, "scan", "NoTextLayer", file_name="Mietvertrag Lager Süd (Scan).pdf")
    for days, (name, level, score, counts, kind) in enumerate(
        (
            (
                "Liefervertrag Ziegenhals",
                "Critical",
                20,
                {"critical": 1, "high": 4, "medium": 6, "low": 2, "total": 13},
                "Liefervertrag",
            ),
            (
                "Distribution Agreement Nordic",
                "Medium",
                9,
                {"medium": 5, "low": 3, "total": 8},
                "Distribution Agreement",
            ),
            ("Geheimhaltung Falkenried", "Low", 4, {"low": 2, "total": 2}, "Geheimhaltungsvereinbarung"),
            ("Bestellformular", "NoneFound", 0, {}, None),
        ),
        start=1,
    ):
        summary = {**summary_at(level), "contract_type": kind, "risk_score": score, "findings": counts}
        document = {"sha256": "a" * 64, "bytes": 20_000, "pages": 3 + days * 4}
        standin.put(
            contract_of(
                f"older-{days}", file_name=f"{name}.pdf", summary=summary, document=document, created_at=ago(days=days)
            )
        )
    standin.put(contract_of("cancelled", status="cancelled", file_name="Entwurf v3 (alt).pdf", created_at=ago(days=6)))
