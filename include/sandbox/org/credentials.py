"""The fixed development sign-in of the sandbox org; worth nothing anywhere else."""

from __future__ import annotations

from pathlib import Path

from include.sandbox.org.ids import make_id

CLIENT_ID = "3MVG9sandboxHeadwater.LocalOrgConnectedApp.0000000000000000000000000000000000000000000"
CLIENT_SECRET = "5A0D3C9E1F7B2846A0D3C9E1F7B28460SANDBOXONLY"
REFRESH_TOKEN = "5Aep861sandboxHeadwaterRefreshTokenWithoutAnyWorthElsewhere00000000000000000000"
USERNAME = "integration@headwater.example"
PASSWORD = "sandbox-password"
SECURITY_TOKEN = "sandboxSecurityToken0000"

ORG_ID = make_id("00D", 1)
USER_ID = make_id("005", 1)

JWT_PRIVATE_KEY = Path(__file__).with_name("dev_jwt_private.pem")
JWT_PUBLIC_KEY = Path(__file__).with_name("dev_jwt_public.pem")
