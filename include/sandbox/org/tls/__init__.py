"""TLS for clients that insist on https: an authority of the org's own, its certificate, and a proxy."""
