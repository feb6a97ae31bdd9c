"""The page on schema changes: what changed, and what of ours uses it."""

from __future__ import annotations

import re
from html import unescape


def words(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).replace("\u202f", " ").split())


def test_changes_stand_with_what_was_before_and_what_uses_them(pages, run):
    """The newest first; the shipped push and checks use Email, nothing uses Fax."""
    run("a_working_org.sql")
    text = words(pages.get("/headwater/schema?org=demo").text)
    assert "Lead Rating other picklist values Cold Frozen" in text
    assert "Contact Fax removed phone(40) – nothing of ours" in text
    assert re.search(r"Contact Email another label Email E-mail .* push contacts_to_insider_one, check ", text)
    assert text.index("Rating") < text.index("Fax")
    assert "3 changes" in text


def test_changes_can_be_searched_and_filtered(pages, run):
    """By object, field, value and kind; markup is text."""
    run("a_working_org.sql")
    assert "Fax" not in words(pages.get("/headwater/schema?q=frozen").text)
    assert "Rating" not in words(pages.get("/headwater/schema?kind=removed").text).split("Search")[1]
    assert "No change matches" in words(pages.get("/headwater/schema?q=nothing").text)
    assert pages.get("/headwater/schema?kind=x'; DROP TABLE headwater.run").status_code == 200
    assert '<script>alert("label")' not in pages.get("/headwater/schema").text


def test_an_org_whose_fields_never_changed_says_so(pages, run, warehouse):
    """The empty page tells when there would be something."""
    run("a_working_org.sql")
    with warehouse.begin() as connection:
        connection.exec_driver_sql("DELETE FROM headwater.schema_change")
    assert "No field has changed since the objects were first read" in words(pages.get("/headwater/schema").text)
