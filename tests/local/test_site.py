"""What an installation remembers: settings, secrets."""

from __future__ import annotations

import pytest

from include.errors import SetupFailed
from include.local.plan import airflow_environment, airflow_services, sandbox_services
from include.local.site import Site, read_site


def test_secrets_are_made_once_and_only_their_owner_can_read_them(site: Site) -> None:
    """The password of the database must be the same at the next start."""
    first = site.secrets()
    assert site.secrets() == first
    assert len(set(vars_of(first))) == 6
    assert (site.home / "secrets.json").stat().st_mode & 0o777 == 0o600


def vars_of(secrets: object) -> list[str]:
    return [getattr(secrets, name) for name in secrets.__slots__]  # type: ignore[attr-defined]


def test_airflows_passwords_are_private(site: Site) -> None:
    """The file in which SimpleAuthManager keeps the admin's password has mode 0600."""
    airflow_environment(site)
    assert (site.settings.airflow_home / "passwords.json").stat().st_mode & 0o777 == 0o600


def test_what_up_was_told_is_remembered(site: Site) -> None:
    """`make up PORT=…` and then `make status` without it speak of the same installation."""
    again = read_site({"HEADWATER_HOME": str(site.home)})
    assert again.settings == site.settings


def test_what_is_said_now_wins_over_what_is_remembered(site: Site) -> None:
    """A port can be changed, one at a time."""
    again = read_site({"HEADWATER_HOME": str(site.home), "PORT": "9999"})
    assert again.settings.port == 9999
    assert again.settings.org_port == site.settings.org_port


def test_a_port_that_is_no_number_is_refused_by_name() -> None:
    """The message names the variable."""
    with pytest.raises(SetupFailed, match="PORT='eighty' is not a whole number"):
        read_site({"HEADWATER_HOME": "/nonexistent", "PORT": "eighty"})


def test_ports_of_log_servers_follow_from_the_port(site: Site) -> None:
    """Checkouts on other ports do not meet, and no derived port is one that the system gives away."""
    taken: list[int] = []
    for port in (8080, 8081, 8180, 18230, 30000, 60000):
        home = {"HEADWATER_HOME": str(site.home), "PORT": str(port), "MAIL_PORT": str(port + 12)}
        services = airflow_services(read_site(home))
        ports = [each.port for each in services if each.port]
        assert len(ports) == 3
        assert all(1024 < each < 65536 for each in ports)
        taken += ports
    assert len(taken) == len(set(taken))


def test_the_plan_is_the_same_every_time(site: Site) -> None:
    """Or a second `make up` would start everything anew."""
    first = [each.fingerprint for each in (*sandbox_services(site), *airflow_services(site))]
    assert first == [each.fingerprint for each in (*sandbox_services(site), *airflow_services(site))]


def test_nothing_of_airflow_runs_on_sqlite(site: Site) -> None:
    """Its metadata lies in the embedded server, in a database of its own."""
    url = airflow_environment(site)["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"]
    assert url.startswith("postgresql+psycopg2://headwater:")
    assert url.endswith(f"@127.0.0.1:{site.settings.warehouse_port}/airflow")


def test_more_logins_are_told_to_airflow_and_get_passwords_that_stay(site: Site) -> None:
    """A viewer can be tried out beside the administrator, and signs in with the same password after a restart."""
    told = read_site({"HEADWATER_HOME": str(site.home), "USERS": "ann:viewer, bob:op"})
    told.prepare()
    environment = airflow_environment(told)
    assert environment["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS"] == "admin:admin,ann:viewer,bob:op"
    first = told.passwords()
    assert list(first) == ["admin", "ann", "bob"]
    assert first["admin"] == told.secrets().admin_password
    assert len(set(first.values())) == 3
    again = read_site({"HEADWATER_HOME": str(site.home)})
    assert again.passwords() == first
    assert list(read_site({"HEADWATER_HOME": str(site.home), "USERS": "none"}).passwords()) == ["admin"]


@pytest.mark.parametrize("users", ["ann", "ann:boss", "admin:viewer", "a b:op", "ann:viewer:op"])
def test_a_login_that_airflow_could_not_read_is_refused(users: str) -> None:
    """The message shows how a login is written, and which roles there are."""
    with pytest.raises(
        SetupFailed, match=r"no login; write e\.g\. USERS=ann:viewer,bob:op \(roles: viewer, user, op, admin"
    ):
        read_site({"HEADWATER_HOME": "/nonexistent", "USERS": users})
