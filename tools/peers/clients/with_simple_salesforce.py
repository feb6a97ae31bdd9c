"""Do one stage with simple-salesforce: `python with_simple_salesforce.py STAGE SETTINGS.json`; answers in JSON."""

import csv
import io
import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from simple_salesforce import Salesforce
from simple_salesforce.exceptions import SalesforceError


def sign_in(settings, way="soap"):
    key = {"consumer_key": settings["client_id"]}
    both = {**key, "consumer_secret": settings["client_secret"]}
    user = {"username": settings["username"], "password": settings["password"]}
    return Salesforce(
        **{
            "soap": {**user, "security_token": settings["security_token"]},
            "password": {**user, **both},
            "jwt": {**key, "username": settings["username"], "privatekey_file": settings["jwt_key"]},
            "client credentials": {**both, "domain": settings["my_domain"].removesuffix(".salesforce.com")},
        }[way]
    )


def keep(settings, path, name, rows):
    folder = Path(settings["out"]) / path
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{name}.jsonl").open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)


def soql(name, fields, condition=""):
    return f"SELECT {', '.join(fields)} FROM {name}{condition}"


def describe(settings):
    for way in ("password", "jwt", "client credentials", "soap"):
        sf = sign_in(settings, way)
    objects = [each["name"] for each in sf.describe()["sobjects"]]
    return {"objects": len(objects), "fields": len(sf.Contact.describe()["fields"])}


def full(settings):
    sf = sign_in(settings)

    def pages(name, text):
        for page in getattr(sf.bulk2, name).query(text, max_records=1500):
            yield from csv.DictReader(io.StringIO(page, newline=""))

    ways = {
        "REST": lambda name, text: sf.query_all_iter(text),
        "Bulk 2.0": pages,
        "Bulk 1.0": lambda name, text: getattr(sf.bulk, name).query(text),
    }
    for way, read in ways.items():
        for name, fields in settings["objects"].items():
            keep(settings, way, name, read(name, soql(name, fields)))
    return {}


def everything(settings):
    """Read all records, deleted ones too."""
    sf = sign_in(settings)
    for name, fields in settings["objects"].items():
        text = soql(name, fields)
        keep(settings, "REST", name, sf.query_all_iter(text, include_deleted=True))
        pages = getattr(sf.bulk2, name).query_all(text, max_records=1500)
        keep(
            settings, "Bulk 2.0", name, (row for page in pages for row in csv.DictReader(io.StringIO(page, newline="")))
        )
    return {}


def increment(settings):
    sf = sign_in(settings)
    start = datetime.fromisoformat(settings["since"])
    end = datetime.now(UTC) + timedelta(minutes=2)
    for name, fields in settings["objects"].items():
        condition = f" WHERE SystemModstamp >= {settings['since']}"
        keep(settings, "REST", name, sf.query_all_iter(soql(name, fields, condition)))
        keep(settings, "deleted rows", name, sf.query_all_iter(
            soql(name, fields, condition + " AND IsDeleted = TRUE"), include_deleted=True))  # fmt: skip
        window = (start - timedelta(minutes=2), end)
        keep(settings, "updated", name, ({"Id": each} for each in getattr(sf, name).updated(*window)["ids"]))
        gone = getattr(sf, name).deleted(*window)["deletedRecords"]
        keep(settings, "deleted", name, ({"Id": each["id"]} for each in gone))
    return {}


def write(settings):
    sf = sign_in(settings)
    made = sf.Contact.create({"LastName": "Simple", "Email": "simple@peers.example"})["id"]
    changed = sf.Contact.update(made, {"Title": "Changed"})
    assert (changed, sf.Contact.get(made)["Title"]) == (204, "Changed")
    bulk = sf.bulk2.Contact
    rows = [{"LastName": f"Bulk {n}", "Email": f"bulk.{n}@peers.example"} for n in range(50)]
    (job,) = bulk.insert(records=rows)
    assert (job["numberRecordsProcessed"], job["numberRecordsFailed"]) == (50, 0), job
    loaded = sf.query_all("SELECT Id FROM Contact WHERE Email LIKE 'bulk.%@peers.example'")["records"]
    found = [row["Id"] for row in loaded]
    (job,) = bulk.delete(records=[{"Id": each} for each in found])
    assert (len(found), job["numberRecordsFailed"]) == (50, 0), job
    gone = sf.Contact.delete(made)
    assert gone == 204
    return {"write": "create, update, delete; Bulk 2.0 insert and delete of 50"}


def error(settings):
    sf = sign_in(settings)
    said = []
    for attempt in (
        lambda: sf.query("SELECT Nonsense FROM Contact"),
        lambda: sf.Contact.create({"FirstName": "Nobody"}),
        lambda: Salesforce(username=settings["username"], password="wrong", security_token="wrong"),
    ):
        try:
            attempt()
        except SalesforceError as refusal:
            said.append(f"{type(refusal).__name__}: {getattr(refusal, 'content', None) or refusal}")
    return {"errors": said}


if __name__ == "__main__":
    stages = {
        "describe": describe, "full": full, "everything": everything, "increment": increment, "write": write,
        "error": error,
    }  # fmt: skip
    sys.stdout.write(json.dumps(stages[sys.argv[1]](json.loads(Path(sys.argv[2]).read_text()))) + "\n")
