"""Be Airflow's own api-server with our plugin in it, on a fresh database, with a user of each role.

A program of its own: an auth manager belongs to a whole process. To the file descriptor of its first argument it writes
one line of JSON: its address, a token of each user, and what Airflow's app answers to. Further arguments are DAG files
that Airflow is to know. It ends when its input does.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import threading
import time
from typing import Any

ROLES = ("viewer", "user", "op", "admin")
PASSWORD = "a-password-of-tests"


def main(said_to: int, *dag_files: str) -> None:
    from airflow.settings import engine
    from airflow.utils.db import initdb
    from sqlalchemy import event

    @event.listens_for(engine, "connect")
    def hurry(connection: Any, _: Any) -> None:
        connection.execute("PRAGMA synchronous = OFF")  # FAB commits each of some hundred rights by itself

    initdb()
    for path in dag_files:
        know_dags(path)
    from airflow.api_fastapi.app import create_app

    app = create_app(apps="core")
    manager = app.state.auth_manager
    users = users_of_fab(manager) if hasattr(manager, "flask_app") else users_of_simple()
    listening = socket.create_server(("127.0.0.1", int(os.environ.get("PORT_OF_TESTS", "0"))))
    said = {
        "url": f"http://127.0.0.1:{listening.getsockname()[1]}",
        "tokens": {name: manager.generate_jwt(user) for name, user in users.items()},
        "routes": [{"path": each.path, "kind": type(getattr(each, "app", each)).__name__} for each in app.routes],
    }
    serve(app, listening, said, said_to)


def users_of_simple() -> dict[str, Any]:
    from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser

    return {name: SimpleAuthManagerUser(username=name, role=name) for name in ROLES}


def users_of_fab(manager: Any) -> dict[str, Any]:
    """Make a user of each role, one who has no right at all, and one who may run a single DAG."""
    with manager.flask_app.app_context():
        security = manager.security_manager
        narrow = security.add_role("Narrow")
        for action, resource in (
            ("can_create", "DAG Run:push_x"),
            ("can_edit", "DAG:push_x"),
            ("can_read", "DAG:push_x"),
        ):
            security.add_permission_to_role(narrow, security.create_permission(action, resource))
        made = {}
        for name in (*ROLES, "nobody", "narrow"):
            role = security.find_role("Public" if name == "nobody" else name.capitalize())
            made[name] = security.add_user(name, name, "Of Tests", f"{name}@example.test", role, password=PASSWORD)
        return made


def know_dags(path: str) -> None:
    """Write the DAGs of a file down as Airflow's DAG processor does, so that runs of them can be made."""
    from airflow.dag_processing.bundles.manager import DagBundlesManager
    from airflow.dag_processing.dagbag import DagBag, sync_bag_to_db

    DagBundlesManager().sync_bundles_to_db()
    bag = DagBag(dag_folder=path)
    assert not bag.import_errors, bag.import_errors
    sync_bag_to_db(bag, "dags-folder", None)


def serve(app: Any, listening: socket.socket, said: dict[str, Any], said_to: int) -> None:
    import uvicorn

    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False))

    def tell() -> None:
        while not server.started:
            time.sleep(0.05)
        with os.fdopen(said_to, "w") as out:
            out.write(json.dumps(said) + "\n")
        sys.stdin.read()
        server.should_exit = True

    threading.Thread(target=tell, daemon=True).start()
    server.run(sockets=[listening])


if __name__ == "__main__":
    main(int(sys.argv[1]), *sys.argv[2:])
