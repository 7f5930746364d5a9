"""A certificate authority of the tests' own, for receivers that speak TLS."""

from __future__ import annotations

import ssl
from datetime import datetime
from pathlib import Path

import trustme


class Authority:
    """A certificate authority of the test's own, in files."""

    def __init__(self, folder: Path) -> None:
        self.ca = trustme.CA(organization_name="Our own authority")
        self.file = str(folder / "ca.pem")
        self.ca.cert_pem.write_to_path(self.file)
        self.client_file, self.key_file = str(folder / "client.pem"), str(folder / "client.key")
        client = self.ca.issue_cert("client@example.org")
        client.cert_chain_pems[0].write_to_path(self.client_file)
        client.private_key_pem.write_to_path(self.key_file)

    def server(
        self, name: str = "127.0.0.1", *, wants_client: bool = False, expires: datetime | None = None
    ) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        issued = self.ca.issue_cert(name, organization_name="The shop", not_after=expires)
        issued.configure_cert(context)
        if wants_client:
            self.ca.configure_trust(context)
            context.verify_mode = ssl.CERT_REQUIRED
        return context
