"""Turn Airflow connections into live objects of `include`, wired together: the only place where connections are read.

Import it inside `execute()` (or a page's handler) only: it pulls in drivers.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from airflow.sdk import BaseHook
from airflow.sdk.exceptions import AirflowNotFoundException

from include.config.budget import Work
from include.config.loader import Definitions, load_definitions
from include.errors import AuthError, NotReady
from include.records import AirflowRun
from include.warehouse.engine import open_warehouse

if TYPE_CHECKING:
    from airflow.sdk import Connection
    from sqlalchemy import Engine

    from include.config.checks import CheckDefinition
    from include.config.notify import ChannelDefinition
    from include.config.orgs import OrgDefinition
    from include.config.pushes import PushDefinition
    from include.destinations.protocol import Access, Destination, Policy
    from include.ports import Circuit, Messenger, TokenStore
    from include.salesforce.client import SalesforceClient

WAREHOUSE_CONNECTION = "headwater_warehouse"
METRICS_CONNECTION = "headwater_metrics"


@cache
def warehouse_engine() -> Engine:
    """Return this process's engine on the warehouse.

    Raises:
        NotReady: the connection `headwater_warehouse` does not exist, or is no address of a PostgreSQL database.
    """
    connection = _connection(
        WAREHOUSE_CONNECTION,
        "create it (type Postgres) with host, database, login and password of the warehouse, or run `make up`",
    )
    return open_warehouse(connection.get_uri())


def salesforce_client(
    org: OrgDefinition, run: AirflowRun | None = None, *, work: Work = Work.SYNC, purpose: str = ""
) -> SalesforceClient:
    """Return a client for the org, whose calls are metered and whose session is shared by all tasks.

    To be closed, by a ``with``: what it borrowed of the API budget and did not use goes back then.

    Raises:
        NotReady: the org's connection does not exist.
        AuthError: the connection holds no complete way to sign in.
    """
    from headwater.credentials import salesforce_credentials
    from include.salesforce.client import SalesforceClient
    from include.warehouse.calls.meter import WarehouseMeter

    connection = _connection(org.connection, "create it (type Salesforce); docs/definitions.md lists what it holds")
    engine = warehouse_engine()
    return SalesforceClient(
        salesforce_credentials(
            conn_id=org.connection,
            login=connection.login,
            password=connection.password,
            extras=connection.extra_dejson,
        ),
        api_version=org.api_version,
        meter=WarehouseMeter(
            engine, org.org, run=(run or AirflowRun()).dag_run_id, budget=org.budget, work=work, purpose=purpose
        ),
        tokens=_shared_sessions(engine),
    )


def destination(push: PushDefinition, *, compare: bool = False) -> Destination:
    """Return the platform that a push goes to; its sockets live as long as this process, which is one task.

    All who use the connection share its bucket, whatever process or DAG they are. With `compare`, what the platform
    holds is read first, and only what differs is written.

    Raises:
        NotReady: the connection does not exist.
        AuthError: the connection lacks something that the platform wants.
        Unreachable: its address is none.
    """
    from include.config.platforms import Match
    from include.destinations.protocol import Policy

    policy = Policy(match=push.match_policy or Match.UPSERT, clear_nulls=push.nulls == "clear", compare=compare)
    return open_platform(push.destination.platform, push.destination.connection, policy)


def open_platform(platform: str, conn_id: str, policy: Policy | None = None) -> Destination:
    """Return the platform behind a connection."""
    from include.destinations.catalogue import entry
    from include.destinations.protocol import Policy
    from include.warehouse.calls.pace import WarehouseBucket

    found = entry(platform)
    bucket = WarehouseBucket(warehouse_engine(), connection=conn_id, paces=found.paces)
    return found.open(_access(platform, conn_id), bucket=bucket, policy=policy or Policy())


def open_unpaced(platform: str, conn_id: str) -> Destination:
    """Return the platform behind a connection for one reading call: nothing is kept of it, not even its pace."""
    from include.destinations.catalogue import entry
    from include.destinations.protocol import Policy

    return entry(platform).open(_access(platform, conn_id), bucket=None, policy=Policy())


def platform_of(conn_id: str) -> str:
    """Return which platform a connection leads to: its type.

    Raises:
        NotReady: the connection does not exist.
    """
    return str(_connection(conn_id, "create it; docs/connections.md lists the types of platforms").conn_type or "")


def parallel_sends(push: PushDefinition) -> int:
    """Return how many batches of a push may be under way at once."""
    from include.destinations.catalogue import entry

    return entry(push.destination.platform).parallel


def circuit(platform: str, conn_id: str, *, user: str = "") -> Circuit:
    """Return what remembers whether the platform refuses a connection; a changed connection is a new one to it."""
    import hashlib

    from airflow.configuration import conf

    from include.warehouse.calls.circuit import WarehouseCircuit

    access = _access(platform, conn_id)
    held = "\0".join((access.base_url, access.login, access.secret, repr(sorted(access.extras.items()))))
    # Keyed, so that nobody who reads the ledger can try out secrets against it.
    key = hashlib.blake2b(str(conf.get("core", "fernet_key", fallback="")).encode()).digest()
    hashed = hashlib.blake2b(held.encode(), key=key, digest_size=16).digest()
    return WarehouseCircuit(warehouse_engine(), connection=conn_id, access=hashed, user=user)


def prove_platform(platform: str, conn_id: str) -> None:
    """Make one reading call over a connection; if the platform takes it, pushes over the connection go on.

    Raises:
        AuthError: the platform refuses the credentials; pushes over the connection are held from now on.
        Unreachable, RetryableError: it could not be asked.
    """
    remembered = circuit(platform, conn_id, user="connection check")
    try:
        open_platform(platform, conn_id).test()
    except AuthError as error:
        remembered.open(error)
        raise
    remembered.close()


def _access(platform: str, conn_id: str) -> Access:
    from include.destinations.protocol import Access

    connection = _connection(conn_id, f"create it (type {platform}); docs/connections.md lists what it holds")
    return Access(
        name=conn_id,
        base_url=_base_url(connection) if connection.host else "",
        login=connection.login or "",
        secret=connection.password or "",
        extras=connection.extra_dejson,
    )


def messenger(channel: ChannelDefinition) -> Messenger:
    """Return what sends messages over a channel: mails through an SMTP connection, JSON through an HTTP connection.

    The keys are those of Airflow's own providers; ``path`` and ``headers`` of a webhook stand in its extras.

    Raises:
        NotReady: the connection does not exist.
        AuthError: it holds no host.
    """
    from include.notifications.mail import MailMessenger, MailServer
    from include.notifications.webhook import Webhook, WebhookMessenger, authorization

    name = channel.webhook or channel.connection
    connection = _connection(name, "create it (type SMTP or HTTP); docs/notifications.md lists what it holds")
    extras = connection.extra_dejson
    if not connection.host:
        raise AuthError(f"the connection {name!r} has no host")
    if channel.webhook:
        headers = {str(key): str(value) for key, value in (extras.get("headers") or {}).items()}
        own = authorization(connection.login or "", connection.password or "")
        url = _base_url(connection).rstrip("/") + str(extras.get("path") or "")
        return WebhookMessenger(Webhook(url=url, headers={**own, **headers}))
    secure = "" if extras.get("disable_tls") else "starttls"
    secure = secure if extras.get("disable_ssl") else "ssl"
    server = MailServer(
        host=connection.host,
        port=connection.port or {"ssl": 465, "starttls": 587}.get(secure, 25),
        sender=str(extras.get("from_email") or connection.login or "headwater@localhost"),
        secure=secure,
        login=connection.login or "",
        password=connection.password or "",
    )
    return MailMessenger(server, channel.mail)


def metrics_token() -> str:
    """Return what a scraper of the metrics must send: the password of a connection; "" when there is none."""
    try:
        return BaseHook.get_connection(METRICS_CONNECTION).password or ""
    except AirflowNotFoundException:
        return ""


def airflow_url() -> str:
    """Return where people reach Airflow (`[api] base_url`), or "" when that is not set."""
    from airflow.configuration import conf

    return str(conf.get("api", "base_url", fallback="") or "").rstrip("/")


@cache
def definitions() -> Definitions:
    """Return the definitions as they are now; read once a process, and a task is a process."""
    return load_definitions()


def org_definition(name: str) -> OrgDefinition:
    """Return an org's definition, or raise DefinitionError."""
    return definitions().org(name)


def push_definition(name: str) -> PushDefinition:
    """Return a push's definition, or raise DefinitionError."""
    return definitions().push(name)


def checks() -> dict[str, CheckDefinition]:
    """Return the checks that are defined."""
    return definitions().checks


def _connection(conn_id: str, remedy: str) -> Connection:
    try:
        return BaseHook.get_connection(conn_id)
    except AirflowNotFoundException as error:
        raise NotReady(f"the Airflow connection {conn_id!r} does not exist; {remedy}") from error


def shared_sessions() -> TokenStore | None:
    """Return the store of sessions that all tasks share; None when there is no warehouse or no Fernet key."""
    try:
        return _shared_sessions(warehouse_engine())
    except NotReady:
        return None


def _shared_sessions(engine: Engine) -> TokenStore | None:
    """Return the store of sessions that tasks share, encrypted with Airflow's Fernet key; None when there is no key."""
    from airflow.sdk.crypto import get_fernet
    from cryptography.fernet import InvalidToken

    from include.warehouse.calls.sessions import WarehouseTokens

    fernet = get_fernet()
    if not fernet.is_encrypted:
        return None

    def decrypt(text: str) -> str | None:
        try:
            return str(fernet.decrypt(text.encode()), "utf-8")
        except InvalidToken:  # stored under another key: sign in anew
            return None

    return WarehouseTokens(engine, encrypt=lambda text: str(fernet.encrypt(text.encode()), "ascii"), decrypt=decrypt)


def _base_url(connection: Connection) -> str:
    host = connection.host or ""
    if "://" not in host:
        host = f"{connection.schema or 'https'}://{host}"
    return f"{host}:{connection.port}" if connection.port else host
