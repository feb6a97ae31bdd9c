"""The sheet that the org prints when it starts: where it is, how to sign in, how to point clients at it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from include.sandbox.org import credentials
from include.sandbox.org.serving import Doors
from include.sandbox.org.tls.authority import Certificate


def text(doors: Doors, meta: Mapping[str, str], home: Path, certificate: Certificate | None) -> str:
    """Return the sheet of a running org."""
    lines = [_org(doors, meta, home)]
    return "\n".join(lines)


def _org(doors: Doors, meta: Mapping[str, str], home: Path) -> str:
    url = f"http://{doors.host}:{doors.port}"
    return f"""
Sandbox org {credentials.ORG_ID} at {url}
  records         {int(meta["contacts"]):,} contacts, seed {meta["seed"]}, kept in {home}
  token endpoint  {url}/services/oauth2/token
  client id       {credentials.CLIENT_ID}
  client secret   {credentials.CLIENT_SECRET}
  refresh token   {credentials.REFRESH_TOKEN}
  username        {credentials.USERNAME}
  password        {credentials.PASSWORD} (security token {credentials.SECURITY_TOKEN})
  JWT key         {credentials.JWT_PRIVATE_KEY}
  API versions    31.0 to 67.0
  control plane   {url}/sandbox/ (counts, truth, calls, touch, delete, merge, faults …)
"""
