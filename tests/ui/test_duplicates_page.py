"""The pages on duplicates: clusters to page through, and the records of one side by side, masked where need be."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import text

from headwater.ui.pages.duplicates import RULES
from include.config.duplicates import COMPANY_RULES, PERSON_RULES
from include.warehouse.duplicates.ledger import FoundPair, store_pairs
from include.warehouse.engine import transaction
from include.warehouse.overview.duplicates import list_clusters

ID = "003D000000QV9nlIAD"
OTHER = "003000000000003AAA"
THIRD = "003000000000004AAA"


def words(html: str) -> str:
    """Return what a person reads, in one line."""
    return " ".join(re.sub(r"<[^>]+>", " ", html).replace("\u202f", " ").split())


def cluster_numbers(html: str) -> list[int]:
    """Return the numbers of the clusters on a page, in its order."""
    return [int(each) for each in re.findall(r'href="/headwater/duplicates/(\d+)\?', html)]


def number(id: int) -> str:
    """Return the Id of a contact by number."""
    return f"003{id:012d}AAA"


@pytest.fixture
def compared(run, warehouse):
    """Fill the warehouse with an org whose contacts were compared."""
    run("a_working_org.sql")
    run("a_record.sql")
    with transaction(warehouse) as connection:
        connection.execute(
            text(
                'INSERT INTO salesforce_demo."Contact" ("Id", "IsDeleted", "LastName", "Email", "Birthdate") VALUES'
                " (:other, false, 'Same Name', 'one@example.com', '1980-05-06'),"
                " (:third, false, 'Same Name', 'two@example.com', '1980-05-06')"
            ),
            {"other": OTHER, "third": THIRD},
        )
        connection.execute(text("INSERT INTO headwater.match_set (org, object) VALUES ('demo', 'Contact')"))
        connection.execute(
            text(
                "INSERT INTO headwater.duplicate_pass (org, object, seconds, whole, changed, found, lost, skipped)"
                """ VALUES ('demo', 'Contact', 1, true, 5, 2, 0, '{"similar": "the extension pg_trgm is not there"}')"""
            )
        )


@pytest.fixture
def paired(compared, warehouse):
    """Yield the number of a cluster of two contacts."""
    pairs = [
        FoundPair(left_id=OTHER, right_id=THIRD, rule="phone", score=0.9),
        FoundPair(left_id=OTHER, right_id=THIRD, rule="typo", score=0.8),
    ]
    with transaction(warehouse) as connection:
        store_pairs(connection, "demo", "Contact", "rules", pairs)
        return connection.execute(text("SELECT cluster_id FROM headwater.duplicate_cluster")).scalar_one()


def test_a_fresh_org_says_that_nothing_has_been_compared(pages, run):
    """Instead of an empty table."""
    run("a_working_org.sql")
    assert "No records have been compared yet" in words(pages.get("/headwater/duplicates?org=demo").text)


def test_an_object_without_duplicates_says_so(pages, compared):
    """With what could not be compared, and why."""
    page = words(pages.get("/headwater/duplicates?org=demo").text)
    assert "No duplicates among Contact" in page
    assert "similar : the extension pg_trgm is not there" in page


def test_the_list_names_each_cluster_with_its_rules_and_scores(pages, paired):
    """And leads to it; the surest pair and the weakest link stand side by side."""
    html = pages.get("/headwater/duplicates?org=demo").text
    page = words(html)
    assert cluster_numbers(html) == [paired]
    assert f"#{paired} {OTHER} and 1 more 2 phone typo 90.0 % 90.0 %" in page
    assert "1 cluster" in page


def test_the_largest_clusters_come_first_and_pages_hold_each_once(warehouse, compared):
    """By keyset: as large ones go on by number, then the smaller ones; newest first goes back by number."""
    pairs = []
    for cluster in range(9):
        first = cluster * 10
        for member in range(1, 2 + cluster % 3):
            pairs.append(FoundPair(left_id=number(first), right_id=number(first + member), rule="email", score=1))
    with transaction(warehouse) as connection:
        store_pairs(connection, "demo", "Contact", "rules", pairs)
    for order in ("largest", "newest"):
        found, after = [], ""
        while True:
            page = list_clusters(warehouse, "demo", "Contact", order=order, after=after, size=2)
            found += [(line.members, line.cluster_id) for line in page.lines]
            after = page.after
            if not after:
                break
        assert len(set(found)) == len(found) == 9
        if order == "largest":
            assert found == sorted(found, key=lambda each: (-each[0], each[1]))
        else:
            assert [each[1] for each in found] == sorted((each[1] for each in found), reverse=True)


def test_by_a_rule_only_clusters_with_such_a_pair_are_listed_each_once(pages, paired, warehouse):
    """Even one with many such pairs, across pages."""
    pairs = [
        FoundPair(left_id=number(1), right_id=number(2), rule="email", score=1),
        FoundPair(left_id=number(2), right_id=number(7), rule="email", score=1),
        FoundPair(left_id=number(3), right_id=number(4), rule="email", score=1),
        FoundPair(left_id=OTHER, right_id=THIRD, rule="phone", score=0.9),
    ]
    with transaction(warehouse) as connection:
        store_pairs(connection, "demo", "Contact", "rules", pairs)
    found, after = [], ""
    while True:
        page = list_clusters(warehouse, "demo", "Contact", rule="email", after=after, size=1)
        found += [line.first_id for line in page.lines]
        after = page.after
        if not after:
            break
    assert sorted(found) == [number(1), number(3)] or sorted(found) == [number(1), OTHER]
    html = pages.get("/headwater/duplicates?org=demo&rule=phone").text
    assert len(cluster_numbers(html)) == 1
    assert "No cluster matches" not in html


@pytest.mark.parametrize("typed", [THIRD, THIRD[:15], THIRD.lower(), "#{}", "{}"])
def test_a_cluster_is_found_by_a_record_s_id_and_by_its_number(pages, paired, typed):
    """In whatever form they were pasted."""
    html = pages.get("/headwater/duplicates", params={"org": "demo", "q": typed.format(paired)}).text
    assert cluster_numbers(html) == [paired]


@pytest.mark.parametrize("typed", ["' OR 1=1 --", "<script>alert(1)</script>", "\x00", "9" * 40, number(99), "#", "-1"])
def test_nonsense_in_the_address_finds_nothing_and_breaks_nothing(pages, paired, typed):
    """Whether it stands in the search, the page or the rule."""
    for params in ({"q": typed}, {"after": typed}, {"rule": typed}, {"object": typed}, {"after": f"2-{typed}"}):
        answer = pages.get("/headwater/duplicates", params={"org": "demo", **params})
        assert answer.status_code == 200, params
        assert "<script>alert" not in answer.text
    assert pages.get(f"/headwater/duplicates/{paired}", params={"org": "demo", "after": typed}).status_code == 200


def test_records_stand_side_by_side_and_differences_are_marked(open_pages, warehouse, paired):
    """Only filled fields, in the org's order; those that differ alone if asked."""
    admin = open_pages(lambda: warehouse, role="admin")
    html = admin.get(f"/headwater/duplicates/{paired}?org=demo").text
    page = words(html)
    assert "≠ differs: Email E-mail &lt;b&gt;work&lt;/b&gt; one@example.com two@example.com" in page
    assert "LastName Last Name Same Name Same Name" in page
    assert "differs: LastName" not in page
    assert "Score__c" not in page
    assert f'href="/headwater/record/{OTHER}?org=demo"' in html
    assert f'href="https://demo.my.salesforce.test/lightning/r/Contact/{OTHER}/view"' in html
    assert f"{OTHER} {THIRD} phone typo 90.0 %" in page
    different = words(admin.get(f"/headwater/duplicates/{paired}?org=demo&only=different").text)
    assert "one@example.com" in different
    assert "Same Name" not in different


@pytest.mark.parametrize("role", ["viewer", "user"])
def test_who_may_not_see_values_sees_what_is_filled_and_what_differs(open_pages, warehouse, paired, role):
    """No value of a person leaves the server, not in the list either."""
    pages = open_pages(lambda: warehouse, role=role)
    html = pages.get(f"/headwater/duplicates/{paired}?org=demo").text
    page = words(html)
    assert "≠ differs: Email E-mail &lt;b&gt;work&lt;/b&gt; ••• •••" in page
    assert "LastName Last Name ••• •••" in page
    assert "differs: LastName" not in page
    for value in ("example.com", "Same Name", "1980"):
        assert value not in html
        assert value not in pages.get("/headwater/duplicates?org=demo").text


def test_what_is_no_person_s_by_the_register_is_shown_to_all(open_pages, warehouse, paired):
    """As a person decided."""
    with transaction(warehouse) as connection:
        connection.execute(
            text(
                "INSERT INTO headwater.personal_field (org, object, field, personal, type, decided_by)"
                " VALUES ('demo', 'Contact', 'Birthdate', false, 'date', 'ann')"
            )
        )
    page = words(open_pages(lambda: warehouse).get(f"/headwater/duplicates/{paired}?org=demo").text)
    assert "Birthdate Birthdate 1980-05-06 1980-05-06" in page
    assert "one@example.com" not in page


def test_a_script_in_a_name_is_text(open_pages, warehouse, compared):
    """The record of the fixture has one."""
    with transaction(warehouse) as connection:
        pair = FoundPair(left_id=ID, right_id=OTHER, rule="phone", score=0.9)
        store_pairs(connection, "demo", "Contact", "rules", [pair])
        made = connection.execute(text("SELECT cluster_id FROM headwater.duplicate_cluster")).scalar_one()
    html = open_pages(lambda: warehouse, role="admin").get(f"/headwater/duplicates/{made}?org=demo").text
    assert "&lt;script&gt;alert(&#34;contact&#34;)" in html
    assert "<script>alert" not in html


def test_a_cluster_that_ended_says_where_its_records_are(pages, paired, warehouse):
    """Its number stays known: a link that somebody kept still leads on."""
    with transaction(warehouse) as connection:
        store_pairs(connection, "demo", "Contact", "rules", [])
    page = words(pages.get(f"/headwater/duplicates/{paired}?org=demo").text)
    assert "no two of its records are one any more" in page
    assert "ended" in page
    assert cluster_numbers(pages.get("/headwater/duplicates?org=demo").text) == []


def test_a_number_that_no_cluster_has_is_told(pages, paired, warehouse):
    """As is one of another org."""
    for asked in ("999", "x", "<b>", "9" * 30):
        answer = pages.get(f"/headwater/duplicates/{asked}?org=demo")
        assert answer.status_code == 404
        assert "There is no cluster" in answer.text
    with transaction(warehouse) as connection:
        connection.execute(text("INSERT INTO headwater.org (org, org_id, instance_url) VALUES ('b', 'x', 'https://b')"))
    assert pages.get(f"/headwater/duplicates/{paired}?org=b").status_code == 404


def test_more_records_than_fit_side_by_side_are_paged(pages, compared, warehouse):
    """Each of them on one page."""
    pairs = [FoundPair(left_id=number(0), right_id=number(each), rule="email", score=1) for each in range(1, 12)]
    with transaction(warehouse) as connection:
        store_pairs(connection, "demo", "Contact", "rules", pairs)
        made = connection.execute(text("SELECT cluster_id FROM headwater.duplicate_cluster")).scalar_one()
    first = pages.get(f"/headwater/duplicates/{made}?org=demo").text
    following = re.search(r'rel="next" href="([^"]+)"', first)
    assert following
    second = pages.get(following[1].replace("&amp;", "&")).text
    table = re.compile(r"<thead>.*?</thead>", re.S)
    shown = [set(re.findall(r"/headwater/record/(\w+)\?", table.search(each)[0])) for each in (first, second)]
    assert (len(shown[0]), len(shown[1])) == (8, 4)
    assert not shown[0] & shown[1]


def test_rules_are_said_in_plain_words(pages, paired):
    """On the list, folded below it, for the rules that found something."""
    page = words(pages.get("/headwater/duplicates?org=demo").text)
    assert "phone : one name, and one phone number typo : one slip in a name" in page
    assert "email :" not in page


def test_every_rule_has_words(pages):
    """A new one must not stand there as a bare name."""
    assert set(RULES) == {*PERSON_RULES, *COMPANY_RULES, "splink"}


def test_a_record_leads_to_its_cluster(pages, paired):
    """From the page of one record to those that are it, too."""
    html = pages.get(f"/headwater/record/{THIRD}?org=demo").text
    assert cluster_numbers(html) == [paired]
    assert f"one of 2 in cluster #{paired}" in words(html)
    assert not cluster_numbers(pages.get(f"/headwater/record/{ID}?org=demo").text)


@pytest.mark.parametrize(
    ("check", "link"),
    [
        ("contact_duplicate_email", "/headwater/duplicates?org=demo&amp;object=Contact&amp;rule=email"),
        ("contact_duplicate_respelt", "/headwater/duplicates?org=demo&amp;object=Contact"),
        ("email_missing", ""),
    ],
)
def test_an_issue_of_duplicates_leads_to_its_clusters(pages, compared, warehouse, check, link):
    """By its rule where it has one only; other issues have no such link."""
    with transaction(warehouse) as connection:
        rename = "UPDATE headwater.{} SET check_id = :check WHERE check_id = 'email_missing'"
        for table in ("issue", "finding"):
            connection.execute(text(rename.format(table)), {"check": check})
    html = pages.get(f"/headwater/health/issue/{check}?org=demo").text
    assert re.findall(r'href="(/headwater/duplicates\?org=demo&amp;[^"]*)"', html) == ([link] if link else [])
