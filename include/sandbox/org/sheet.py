"""The sheet that the org prints when it starts: where it is, how to sign in, how to point clients at it."""

from __future__ import annotations

import json
from collections.abc import Mapping

from include.sandbox.org import credentials
from include.sandbox.org.org import Org
from include.sandbox.org.serving import Doors
from include.sandbox.org.tls.authority import Certificate
from include.sandbox.org.tls.hosts import MY_DOMAIN
from include.sandbox.org.tls.proxy import LOOPBACK


def text(doors: Doors, org: Org, certificate: Certificate | None) -> str:
    """Return the sheet of a running org."""
    parts = [_facts(doors, org, certificate)]
    if certificate is None:
        parts.append("For clients that insist on https, start it with --tls-port and --proxy-port.\n")
    else:
        parts.append("Clients, unmodified (copy, paste, run):\n")
        parts += [f"# {client}\n{lines}" for client, lines in snippets(doors, certificate).items()]
    return "\n".join(parts)


def snippets(doors: Doors, certificate: Certificate) -> Mapping[str, str]:
    """Return by client what points it at the org; the first two are for the shell in which the others run."""
    found = {"curl": _curl(doors, certificate)}
    if doors.proxy_port is not None:
        found |= {
            "The environment in which Salesforce's own host names lead here": _environment(doors, certificate),
            "simple-salesforce, in that environment": _SIMPLE_SALESFORCE,
            "Airflow's Salesforce provider, in that environment": _airflow(),
            "Airbyte's source, in that environment: config.json": _airbyte(),
            "Singer taps, in that environment: config.json": _singer(),
            "dlt's verified source, in that environment": _DLT,
        }
    found["jsforce"] = _jsforce(doors)
    if doors.tls_port is not None:
        found["Salesforce CLI; its Bulk export knows no proxy, so it takes the TLS port"] = _sf(doors, certificate)
    return {client: lines.strip() + "\n" for client, lines in found.items()}


def _facts(doors: Doors, org: Org, certificate: Certificate | None) -> str:
    url, meta = f"http://{doors.host}:{doors.port}", org.database.meta()
    facts = {"records": f"{int(meta['contacts']):,} contacts, seed {meta['seed']}, kept in {org.home}"}
    if doors.tls_port is not None:
        facts["https"] = _tls_url(doors)
    if doors.proxy_port is not None:
        facts["proxy"] = f"{_proxy_url(doors)} (leads *.salesforce.com here, refuses all else)"
    if certificate is not None:
        facts["CA to trust"] = str(certificate.authority)
    facts |= {
        "token endpoint": f"{url}/services/oauth2/token",
        "client id": credentials.CLIENT_ID,
        "client secret": credentials.CLIENT_SECRET,
        "refresh token": credentials.REFRESH_TOKEN,
        "username": credentials.USERNAME,
        "password": f"{credentials.PASSWORD} (security token {credentials.SECURITY_TOKEN})",
        "JWT key": str(credentials.JWT_PRIVATE_KEY),
        "My Domain": MY_DOMAIN,
        "API versions": "31.0 to 67.0",
        "page": f"{url}/sandbox/ (objects, jobs, calls, faults, and the controls)",
    }
    lines = "".join(f"  {name:<14}  {fact}\n" for name, fact in facts.items())
    return f"\nSandbox org {org.org_id} at {url}\n{lines}"


def _tls_url(doors: Doors) -> str:
    return f"https://localhost:{doors.tls_port}"


def _proxy_url(doors: Doors) -> str:
    return f"http://{LOOPBACK}:{doors.proxy_port}"


def _environment(doors: Doors, certificate: Certificate) -> str:
    ca = certificate.authority
    return f"""
export HTTPS_PROXY={_proxy_url(doors)} NO_PROXY=localhost,127.0.0.1
export REQUESTS_CA_BUNDLE={ca} SSL_CERT_FILE={ca} NODE_EXTRA_CA_CERTS={ca}
"""


def _curl(doors: Doors, certificate: Certificate) -> str:
    way = f"--cacert {certificate.authority} {_tls_url(doors)}"
    if doors.tls_port is None:
        way = f"--cacert {certificate.authority} --proxy {_proxy_url(doors)} https://{MY_DOMAIN}"
    return f"""
curl {way}/services/oauth2/token \\
  -d grant_type=client_credentials -d client_id={credentials.CLIENT_ID} -d client_secret={credentials.CLIENT_SECRET}
"""


def _airflow() -> str:
    connection = {
        "conn_type": "salesforce",
        "login": credentials.USERNAME,
        "password": credentials.PASSWORD,
        "extra": {"security_token": credentials.SECURITY_TOKEN},
    }
    return f"export AIRFLOW_CONN_SALESFORCE_DEFAULT='{json.dumps(connection)}'"


def _airbyte() -> str:
    return json.dumps({**_REFRESHED, "start_date": "2020-01-01T00:00:00Z"})


def _singer() -> str:
    more = {"start_date": "2020-01-01T00:00:00Z", "api_type": "BULK", "select_fields_by_default": True}
    return json.dumps({**_REFRESHED, **more})


def _jsforce(doors: Doors) -> str:
    return f"""
const conn = new (require('jsforce').Connection)({{ loginUrl: 'http://{doors.host}:{doors.port}' }});
conn.login('{credentials.USERNAME}', '{credentials.PASSWORD}{credentials.SECURITY_TOKEN}')
  .then(() => conn.query('SELECT Id, Name FROM Contact LIMIT 3')).then((found) => console.log(found.records));
"""


def _sf(doors: Doors, certificate: Certificate) -> str:
    return f"""
unset HTTPS_PROXY; export NODE_EXTRA_CA_CERTS={certificate.authority} SF_DISABLE_DNS_CHECK=true
sf org login jwt --client-id {credentials.CLIENT_ID} --jwt-key-file {credentials.JWT_PRIVATE_KEY} \\
  --username {credentials.USERNAME} --instance-url {_tls_url(doors)} --alias sandbox-org
sf data query --target-org sandbox-org --query "SELECT Id, Name FROM Contact LIMIT 3"
"""


_REFRESHED = {
    "client_id": credentials.CLIENT_ID,
    "client_secret": credentials.CLIENT_SECRET,
    "refresh_token": credentials.REFRESH_TOKEN,
}
_SIMPLE_SALESFORCE = f"""
from simple_salesforce import Salesforce
sf = Salesforce(username="{credentials.USERNAME}", password="{credentials.PASSWORD}",
                security_token="{credentials.SECURITY_TOKEN}")
print(sf.query("SELECT COUNT() FROM Contact")["totalSize"])
"""
_DLT = f"""
export SOURCES__SALESFORCE__CREDENTIALS__USER_NAME={credentials.USERNAME}
export SOURCES__SALESFORCE__CREDENTIALS__PASSWORD={credentials.PASSWORD}
export SOURCES__SALESFORCE__CREDENTIALS__SECURITY_TOKEN={credentials.SECURITY_TOKEN}
"""
