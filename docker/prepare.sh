#!/usr/bin/env bash
# Bring databases, user, pools and connections to what Headwater needs; run it as often as you like.
#   prepare.sh            Airflow's database, the admin user, pools, the warehouse and its connection
#   prepare.sh sandbox    the connections to the sandbox org, platforms and mail sink
set -euo pipefail

connection() { # connection ID JSON: an existing one is left as a person may have changed it
    airflow connections get "$1" >/dev/null 2>&1 || airflow connections add "$1" --conn-json "$2"
}

if [ "${1:-}" = sandbox ]; then
    connection salesforce_demo "$(python - <<'PYTHON'
import json
from include.sandbox.org.credentials import CLIENT_ID, CLIENT_SECRET
url = "http://sandbox-org:8090"
extra = {"consumer_key": CLIENT_ID, "consumer_secret": CLIENT_SECRET, "login_url": url, "instance_url": url}
print(json.dumps({"conn_type": "salesforce", "extra": extra}))
PYTHON
)"
    python - <<'PYTHON' | while IFS=$'\t' read -r id json; do connection "$id" "$json"; done
import json
from include.local.connections import SANDBOXED, sandbox_access
for platform in SANDBOXED:
    held = sandbox_access(platform, "http://sandbox-insider-one:8091")
    print(f"{platform}_demo", json.dumps({"conn_type": platform, **held}), sep="\t")
PYTHON
    connection smtp_default '{"conn_type": "smtp", "host": "sandbox-mail", "port": 8092,
        "extra": {"disable_ssl": true, "disable_tls": true, "from_email": "headwater@localhost"}}'
    exit 0
fi

airflow db migrate
airflow users list --output plain | grep -qw "$HEADWATER_ADMIN_USER" || airflow users create \
    --username "$HEADWATER_ADMIN_USER" --password "$HEADWATER_ADMIN_PASSWORD" --role Admin \
    --firstname Headwater --lastname Admin --email "$HEADWATER_ADMIN_USER@localhost"
# FAB shows a plugin's entry in the navigation to Op and Admin only; our pages are for every login.
airflow roles add-perms --action can_read --resource Plugins -- Viewer User
airflow pools import /opt/airflow/include/local/pools.json
python - <<'PYTHON'
import os
from include.warehouse.engine import open_warehouse
from include.warehouse.migrate import migrate
print("warehouse migrations applied:", migrate(open_warehouse(os.environ["HEADWATER_WAREHOUSE_URL"])))
PYTHON
connection headwater_warehouse "$(python - <<'PYTHON'
import json, os
from sqlalchemy.engine import make_url
url = make_url(os.environ["HEADWATER_WAREHOUSE_URL"])
print(json.dumps({"conn_type": "postgres", "host": url.host, "port": url.port, "schema": url.database,
                  "login": url.username, "password": url.password}))
PYTHON
)"
