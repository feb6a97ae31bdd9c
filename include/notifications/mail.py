"""Send a message as a mail over SMTP: plain text, and the same as HTML where a message has it."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import formatdate, make_msgid

from include.errors import AuthError, ConnectionLost, FatalError, ServerFault
from include.records import Message


@dataclass(frozen=True, slots=True, kw_only=True)
class MailServer:
    """Hold where mails go out; `secure` is ``ssl``, ``starttls`` or ``""`` for none."""

    host: str
    port: int
    sender: str
    secure: str = "ssl"
    login: str = ""
    password: str = field(default="", repr=False)
    timeout_seconds: float = 30


class MailMessenger:
    """Send mails to fixed recipients (`include.ports.Messenger`)."""

    def __init__(self, server: MailServer, recipients: Sequence[str]) -> None:
        self.server = server
        self._recipients = tuple(recipients)

    def send(self, message: Message) -> None:
        """Send one mail to all recipients.

        Raises:
            AuthError: the server refused our login.
            FatalError: it refuses the sender or every recipient; nobody was told.
            ConnectionLost: it does not answer.
            ServerFault: it answered with an error.
        """
        server = self.server
        try:
            with self._opened() as smtp:
                if server.login:
                    smtp.login(server.login, server.password)
                smtp.send_message(self._mail(message))
        except smtplib.SMTPAuthenticationError as error:
            raise AuthError(f"the mail server {server.host} refused the login of its Airflow connection") from error
        except (smtplib.SMTPRecipientsRefused, smtplib.SMTPSenderRefused):  # it names the recipients, as others may
            raise FatalError(
                f"the mail server {server.host} refused sender or recipients; look at `notify` in the org's definition"
                " and at `from_email` of its Airflow connection"
            ) from None
        except smtplib.SMTPException as error:
            if isinstance(error, smtplib.SMTPServerDisconnected):
                raise self._silent() from error
            raise ServerFault(f"the mail server {server.host} did not take the mail") from None
        except OSError as error:
            raise self._silent() from error

    def _silent(self) -> ConnectionLost:
        where = f"{self.server.host}:{self.server.port}"
        return ConnectionLost(f"the mail server {where} does not answer; the message waits for the next run")

    def _opened(self) -> smtplib.SMTP:
        server = self.server
        if server.secure == "ssl":
            context = ssl.create_default_context()
            return smtplib.SMTP_SSL(server.host, server.port, timeout=server.timeout_seconds, context=context)
        smtp = smtplib.SMTP(server.host, server.port, timeout=server.timeout_seconds)
        if server.secure == "starttls":
            smtp.starttls(context=ssl.create_default_context())
        return smtp

    def _mail(self, message: Message) -> EmailMessage:
        mail = EmailMessage()
        mail["Subject"] = message.subject
        mail["From"] = self.server.sender
        mail["To"] = ", ".join(self._recipients)
        mail["Date"] = formatdate(localtime=False)
        mail["Message-ID"] = make_msgid(domain=self.server.sender.rpartition("@")[2] or "headwater")
        mail["Auto-Submitted"] = "auto-generated"  # keeps absence notes away
        mail.set_content(message.text)
        if message.html:
            mail.add_alternative(message.html, subtype="html")
        return mail
