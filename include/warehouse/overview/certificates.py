"""The comparisons of one object with the org, the newest first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, text

from include.warehouse.engine import transaction

_CERTIFICATES = """
SELECT certificate_id, run_id, here, in_org, difference, as_of, note, written_at
  FROM headwater.certificate
 WHERE org = :org AND object = :object AND (CAST(:before AS bigint) IS NULL OR certificate_id < :before)
 ORDER BY certificate_id DESC LIMIT :limit
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateRow:
    """Hold one comparison; `difference` is what the warehouse lacks (negative: has too many)."""

    certificate_id: int
    run_id: int | None
    here: int
    in_org: int
    difference: int
    as_of: datetime
    note: str
    written_at: datetime


def certificates_of(
    engine: Engine, org: str, object: str, *, before: int | None = None, limit: int = 50
) -> list[CertificateRow]:
    """Return comparisons of an object, those before the comparison `before`."""
    bound = {"org": org, "object": object, "before": before, "limit": limit}
    with transaction(engine) as connection:
        return [CertificateRow(**row) for row in connection.execute(text(_CERTIFICATES), bound).mappings()]
