"""Let a request change something only if a page of this origin sent it, whatever cookies come along with it."""

from __future__ import annotations

from urllib.parse import urlsplit

from fastapi import Depends, HTTPException, Request


def same_origin(request: Request) -> None:
    """Refuse (403) what another site's page may have sent.

    A browser says where a request comes from in ``Sec-Fetch-Site``, or on plain http in ``Origin``. A program that
    signs in by a bearer token brings no cookie that somebody else could use: Airflow takes the token, and a page of
    another site can neither know nor send one. A header without a token proves nothing, because the cookie counts then.
    """
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token.strip():
        return
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        if site != "same-origin":
            raise HTTPException(403, "This was sent by a page of another site.")
        return
    host = urlsplit(request.headers.get("origin", "")).netloc  # "" also for the origin "null" of a sandboxed page
    if not host or host not in (request.url.netloc, _behind_proxy()):
        raise HTTPException(403, "The browser does not say that a page of this site sent this.")


def _behind_proxy() -> str:
    """Return the host by which people reach Airflow, when a proxy changes it."""
    from airflow.configuration import conf

    return urlsplit(str(conf.get("api", "base_url", fallback="") or "")).netloc


SAME_ORIGIN = Depends(same_origin)
