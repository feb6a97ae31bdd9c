"""Describe the connection types of the platforms, as Airflow shows them in its form.

Airflow learns types from installed packages alone: `headwater_platforms-1.dist-info` beside `include` makes the project
look like one, and names `provider_info`. Every process of Airflow calls it at its start, before it can import plugins:
so this file imports nothing.
"""

from __future__ import annotations

from typing import Any

_HIDDEN = ("schema", "port")


def provider_info() -> dict[str, Any]:
    """Return what Airflow wants to know of a package that brings connection types."""
    return {
        "package-name": "headwater-platforms",
        "name": "Headwater",
        "description": "Connections to the platforms that Headwater pushes to.",
        "connection-types": [
            _type(
                "insider_one",
                "Insider One",
                "InsiderOneHook",
                labels={"host": "Base URL", "login": "Partner name", "password": "Request token"},
                examples={"host": "https://unification.useinsider.com", "login": "as in the platform's address"},
            ),
            _type(
                "intercom",
                "Intercom",
                "IntercomHook",
                labels={"host": "Base URL", "password": "Access token"},
                examples={"host": "only if it isn't the usual one of the region"},
                hidden=("login",),
                fields={
                    "region": {
                        "label": "Region",
                        "description": "Where the workspace is hosted.",
                        "schema": {"type": ["string", "null"], "enum": ["us", "eu", "au"], "default": "us"},
                    }
                },
            ),
            _type(
                "klaviyo",
                "Klaviyo",
                "KlaviyoHook",
                labels={"host": "Base URL", "password": "Private API key"},
                examples={"host": "https://a.klaviyo.com, if empty", "password": "pk_…"},
                hidden=("login",),
            ),
            _type(
                "hubspot",
                "HubSpot",
                "HubSpotHook",
                labels={"host": "Base URL", "password": "Access token"},
                examples={"host": "https://api.hubapi.com, if empty", "password": "of a private app"},
                hidden=("login",),
                fields={
                    "unique_property": {
                        "label": "Unique property",
                        "description": "Internal name of the contact property, unique in HubSpot, that holds the uuid.",
                        "schema": {"type": ["string", "null"]},
                    }
                },
            ),
            _type(
                "braze",
                "Braze",
                "BrazeHook",
                labels={"host": "REST endpoint", "password": "REST API key"},
                examples={"host": "https://rest.fra-01.braze.eu"},
                hidden=("login",),
            ),
            _type(
                "webhook",
                "Signed webhook",
                "WebhookHook",
                labels={"host": "URL", "password": "Signing secret"},
                examples={"host": "https://hooks.example.com", "password": "whsec_…"},
                hidden=("login",),
                fields={
                    "path": {
                        "label": "Path",
                        "description": "What follows the URL, from the slash on; it may hold a query.",
                        "schema": {"type": ["string", "null"], "format": "password"},
                    },
                    "former_secret": {
                        "label": "Former secret",
                        "description": "Signed with as well, while a secret is being replaced.",
                        "schema": {"type": ["string", "null"], "format": "password"},
                    },
                    "allow_private": {
                        "label": "May be a private address",
                        "description": "Send also to private, link-local and loopback addresses.",
                        "schema": {"type": "boolean", "default": False},
                    },
                },
            ),
        ],
    }


def _type(
    name: str,
    title: str,
    hook: str,
    *,
    labels: dict[str, str],
    examples: dict[str, str],
    hidden: tuple[str, ...] = (),
    fields: dict[str, Any] | None = None,
) -> dict[str, Any]:
    return {
        "connection-type": name,
        "hook-class-name": f"headwater.connection_types.{hook}",
        "hook-name": title,
        "conn-fields": fields or {},
        "ui-field-behaviour": {
            "hidden-fields": [*_HIDDEN, *hidden],
            "relabeling": labels,
            "placeholders": examples,
        },
    }
