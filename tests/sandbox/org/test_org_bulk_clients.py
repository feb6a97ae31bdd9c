"""simple-salesforce's two Bulk handlers, unmodified, against the org: only https is turned to http on the way."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest
import requests
from requests.adapters import HTTPAdapter

from include.sandbox.org import credentials
from tests.sandbox.org.conftest import RunningOrg


class Rewrite(HTTPAdapter):
    """Send every https request to the org, by http."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._netloc = urlsplit(url).netloc

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        asked = urlsplit(str(request.url))
        request.url = urlunsplit(("http", self._netloc, asked.path, asked.query, ""))
        return super().send(request, *args, **options)


@pytest.fixture(scope="module")
def client(org: RunningOrg) -> Any:
    """Return a client that signed in by client credentials."""
    from simple_salesforce import Salesforce

    session = requests.Session()
    session.mount("https://", Rewrite(org.url))
    return Salesforce(
        consumer_key=credentials.CLIENT_ID, consumer_secret=credentials.CLIENT_SECRET, domain="headwater.my",
        session=session,
    )  # fmt: skip


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the client ask again soon: it waits five seconds between two looks at a batch."""
    from time import sleep

    monkeypatch.setattr("simple_salesforce.bulk.sleep", lambda _seconds: sleep(0.02))


def test_bulk_reads(org: RunningOrg, client: Any) -> None:
    """Times are milliseconds."""
    rows = client.bulk.Contact.query("SELECT Id, LastName, SystemModstamp, Account.Name FROM Contact ORDER BY Id")
    wanted = org.query("SELECT Id, SystemModstamp FROM Contact ORDER BY Id")["records"]
    assert [each["Id"] for each in rows] == [each["Id"] for each in wanted]
    moment = datetime.fromtimestamp(rows[0]["SystemModstamp"] / 1000, tz=UTC)
    assert f"{moment:%Y-%m-%dT%H:%M:%S}.000+0000" == wanted[0]["SystemModstamp"]


def test_bulk_reads_deleted_records(org: RunningOrg, client: Any) -> None:
    """Lazily, page by page."""
    (gone,) = org.command("delete", object="Contact", n=1)["ids"]
    pages = client.bulk.Contact.query_all("SELECT Id, IsDeleted FROM Contact", lazy_operation=True)
    found = {each["Id"]: each["IsDeleted"] for page in pages for each in page}
    assert found[gone] is True


def test_bulk_tells_of_a_query_that_failed(client: Any) -> None:
    """By its own exception."""
    from simple_salesforce.exceptions import SalesforceGeneralError

    with pytest.raises(SalesforceGeneralError, match="does not match the entity"):
        client.bulk.Contact.query("SELECT Id FROM Account")


def test_bulk_writes(org: RunningOrg, client: Any) -> None:
    """Insert, update, upsert, delete; several batches; a refused record is told of and no more."""
    rows = [{"LastName": f"Bulk {number}", "Company": "B"} for number in range(5)]
    made = client.bulk.Lead.insert([*rows, {"Company": "No Name"}], batch_size=4)
    assert [each["success"] for each in made] == [True] * 5 + [False]
    assert made[5]["errors"][0]["statusCode"] == "REQUIRED_FIELD_MISSING"
    ids = [each["id"] for each in made[:5]]
    client.bulk.Lead.update([{"Id": each, "Title": "Chief"} for each in ids[:2]])
    detailed = client.bulk.Lead.upsert([{"Id": ids[2], "Title": "Chief"}], "Id", include_detailed_results=True)
    assert (detailed[0]["created"], detailed[0]["Title"]) == (False, "Chief")
    assert org.query("SELECT Id FROM Lead WHERE Title = 'Chief' AND LastName LIKE 'Bulk _'")["totalSize"] == 3
    client.bulk.Lead.delete([{"Id": each} for each in ids])
    assert org.query("SELECT Id FROM Lead WHERE LastName LIKE 'Bulk _'")["totalSize"] == 0


def test_bulk_refuses_unknown_fields(client: Any) -> None:
    """The batch fails, and its results can't be read."""
    from simple_salesforce.exceptions import SalesforceMalformedRequest

    with pytest.raises(SalesforceMalformedRequest, match="Records not processed"):
        client.bulk.Lead.insert([{"LastName": "x", "Nonsense__c": 1}])


def test_bulk2_writes(org: RunningOrg, client: Any, tmp_path: Path) -> None:
    """Insert in parts, update, upsert, delete; the three files of results."""
    rows = [{"LastName": f"Bulk2 {number}", "Company": "B, Ltd"} for number in range(5)]
    parts = client.bulk2.Lead.insert(records=[*rows, {"LastName": "", "Company": "No Name"}], batch_size=4, wait=0.02)
    assert [(each["numberRecordsProcessed"], each["numberRecordsFailed"]) for each in parts] == [(4, 0), (2, 1)]
    results = client.bulk2.Lead.get_all_ingest_records(parts[1]["job_id"])
    assert [each["LastName"] for each in results["successfulRecords"]] == ["Bulk2 4"]
    assert results["failedRecords"][0]["sf__Error"] == (
        "REQUIRED_FIELD_MISSING:Required fields are missing: [LastName]:LastName --"
    )
    assert results["unprocessedRecords"] == []
    ids = [each["Id"] for each in org.query("SELECT Id FROM Lead WHERE LastName LIKE 'Bulk2 _'")["records"]]
    client.bulk2.Lead.update(records=[{"Id": each, "Title": "Head"} for each in ids[:2]], wait=0.02)
    client.bulk2.Lead.upsert(records=[{"Id": ids[2], "Title": "Head"}], external_id_field="Id", wait=0.02)
    assert org.query("SELECT Id FROM Lead WHERE Title = 'Head' AND LastName LIKE 'Bulk2 _'")["totalSize"] == 3
    (deleted,) = client.bulk2.Lead.delete(records=[{"Id": each} for each in ids], wait=0.02)
    assert deleted["numberRecordsFailed"] == 0
    assert org.query("SELECT Id FROM Lead WHERE LastName LIKE 'Bulk2 _'")["totalSize"] == 0
    client.bulk2.Lead.get_successful_records(deleted["job_id"], str(tmp_path / "deleted.csv"))
    assert (tmp_path / "deleted.csv").read_text().startswith('"sf__Id","sf__Created","Id"\n')


def test_bulk2_tells_why_a_job_failed(client: Any) -> None:
    """By the job's message."""
    from simple_salesforce.exceptions import SalesforceOperationError

    with pytest.raises(SalesforceOperationError, match="InvalidBatch : Field name not found : Nonsense__c"):
        client.bulk2.Lead.insert(records=[{"LastName": "x", "Nonsense__c": "1"}], wait=0.02)


def test_bulk2_downloads(client: Any, tmp_path: Path) -> None:
    """Page by page, into files."""
    pages = client.bulk2.Account.download("SELECT Id, Name FROM Account", str(tmp_path), max_records=60, wait=0.02)
    assert [each["number_of_records"] for each in pages] == [60, 40]
    assert all(Path(each["file"]).read_text().startswith('"Id","Name"\n"001') for each in pages)
