"""An org that goes away is not a connection that is wrong."""

from __future__ import annotations

import pytest

from include.errors import ConnectionLost, Unreachable
from include.salesforce.client import SalesforceClient
from tests.extract.small_org import running_org

QUESTION = "SELECT COUNT() FROM Lead"


def test_an_org_that_goes_away_is_tried_again() -> None:
    """It signed us in a moment ago: a short outage needs nobody to mend anything."""
    with running_org() as org:
        org.add_object("Lead", LastName="string")
        org.sessions_end = True
        client = SalesforceClient(org.credentials())
        assert client.count(QUESTION) == 0
        client.close()  # the connection that is open would be answered to the end
    with pytest.raises(ConnectionLost, match="cannot be reached now, though it signed us in"):
        client.count(QUESTION)
    with pytest.raises(ConnectionLost, match="could not read the org's clock"):
        client.org_now()


def test_an_org_that_never_answered_is_a_connection_to_mend() -> None:
    """Trying again would not help."""
    with running_org() as org:
        org.sessions_end = True
        client = SalesforceClient(org.credentials())
    with pytest.raises(Unreachable):
        client.count(QUESTION)
