"""Mail in, by SMTP or LMTP (RFC 5321, 2033): telegrams of other stations and of people, delivery reports.

A mail of another Reftel station carries the exact wire text; one that a person hands in is a telegram of
this station. The mail server stands before this door; still, nobody can fill it or hold it open.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from email import policy
from email.message import EmailMessage, Message
from email.parser import BytesParser
from typing import Any, NamedTuple

from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

import reftel
from reftel.centre import accepting, origin
from reftel.centre.accepting import Refused
from reftel.centre.config import LOOPBACK, Config, address
from reftel.centre.journal import Changes
from reftel.centre.journalfile import OPERATOR, Duty, Entry, JournalError
from reftel.centre.passwords import matches
from reftel.centre.scan import scan
from reftel.centre.station import Station
from reftel.write.mail import ATTACHED, MailError, from_mail

_BACKLOG = 512
_LEAST_BYTES = 1000
"""So many have to come in `limits.slow_sender_s`."""
_MAIL_AROUND = 100_000
_OURS = re.compile(r"^Message-ID:\s*<[A-Z]{4,8}\.(?P<hop>[A-Z]{3}[0-9]{3,4})\.[0-9]+@", re.I | re.M)
"""What a mail to another station is called."""
_COMMANDS = {"NOOP": 20, "VRFY": 20, "HELO": 20, "EHLO": 20, "LHLO": 20, "AUTH": 5, "*": 10_000}
"""How often a command is taken in one connection."""


class _Door:
    """What the mail server's library asks when somebody hands in a mail."""

    def __init__(self, station: Station, door: MailDoor) -> None:
        self._station = station
        self._door = door

    async def handle_DATA(  # noqa: N802  the library's name
        self, server: Any, session: Session, envelope: Envelope
    ) -> str:
        self._door.came(server)
        station = self._station
        data = envelope.content
        assert isinstance(data, bytes)
        message = BytesParser(policy=policy.default).parsebytes(data)
        assert isinstance(message, EmailMessage)
        sender = (envelope.mail_from or "").lower()
        try:
            if message.get_content_type() == "multipart/report":
                return await _report(station, message)
            if not sender:
                station.tell("mail.refused", sender="<>", why="no sender and no report")
                return "550 5.7.1 without a sender only delivery reports are taken"
            if not _may_hand_in(station.config, sender, bool(session.authenticated)):
                station.tell("mail.refused", sender=sender, why="not authorised")
                return "550 5.7.1 this sender is not authorised to hand in telegrams"
            if await _was_taken(station, str(message.get("Message-ID", ""))):
                return "250 2.0.0 taken before"
            said = await _take(station, message, data, sender)
        except (Refused, JournalError) as error:
            return f"451 4.3.0 {_one_line(str(error))}"
        except (reftel.NotATelegram, origin.NotSendable, MailError) as error:
            station.tell("mail.refused", sender=sender, why=str(error))
            return f"550 5.6.0 {_one_line(str(error))}"
        return f"250 2.0.0 {said}"


async def _take(station: Station, message: EmailMessage, data: bytes, sender: str) -> str:
    """A mail of another station, or of a person."""
    attached = next(
        (part for part in message.iter_attachments() if part.get_filename() == ATTACHED), None
    )
    neighbour = next(
        (
            c.name
            for c in station.config.circuit
            if c.kind == "mail" and (c.mailbox or "").lower() == sender
        ),
        None,
    )
    if attached is not None and neighbour is not None:
        content = attached.get_content()
        try:
            wire = content.encode("latin-1") if isinstance(content, str) else bytes(content)
        except UnicodeEncodeError as error:
            raise reftel.NotATelegram(
                f"the attached telegram has {content[error.start]!r}, which no circuit can carry"
            ) from None
        if len(wire) > (most := station.config.limits.message_bytes):
            raise reftel.NotATelegram(f"the attached telegram has {len(wire)} bytes, over {most}")
        if not scan(wire).routing:
            raise reftel.NotATelegram("the attached telegram has no routing line")
        accepted = await accepting.accept(station, neighbour, wire)
        await _note_taken(station, str(message.get("Message-ID", "")), accepted.message)
        return f"telegram {accepted.message} accepted"
    telegram, losses = from_mail(data, station.config.directory)
    parts = [loss for loss in losses if loss.field == "part" and "attachments" in loss.why]
    if parts:
        names = ", ".join(loss.value for loss in parts)
        raise origin.NotSendable([f"{names}: {parts[0].why}; send the text alone"])
    accepted_all = await origin.send(station, telegram, sender)
    first = accepted_all[0].message
    await _note_taken(station, str(message.get("Message-ID", "")), first)
    return f"telegram {first} accepted"


def _may_hand_in(config: Config, sender: str, authenticated: bool) -> bool:
    """Who has an account, who is on the list, and the stations at the other end of mail circuits."""
    if authenticated:
        return True
    allowed = {each.lower() for each in config.station.accept_from}
    stations = {(c.mailbox or "").lower() for c in config.circuit if c.kind == "mail"}
    return bool({sender, "@" + sender.rpartition("@")[2]} & allowed) or sender in stations


async def _was_taken(station: Station, identity: str) -> bool:
    """A server sends again what it was not told was taken: the Message-ID tells."""
    return bool(identity) and bool(station.journal.handled(f"mail {identity}"))


async def _note_taken(station: Station, identity: str, message: int) -> None:
    if identity:
        changes = Changes()
        changes.handle(f"mail {identity}", "", "", message)
        await station.commit(changes)


class Outcome(NamedTuple):
    """What a report says of one mailbox: `failed`, `delayed`, `delivered`, `relayed` or `expanded`, with an
    enhanced status code (RFC 3463) and the server's words."""

    recipient: str
    action: str
    status: str
    diagnostic: str


async def _report(station: Station, message: EmailMessage) -> str:
    """A delivery report (RFC 3464) is put to the telegram that it is about; of one that failed the operator
    hears."""
    identity = str(message.get("Message-ID", ""))
    if await _was_taken(station, identity):
        return "250 2.0.0 report taken before"
    number, outcomes = _reported(station, message)
    changes = Changes()
    duties = []
    for each in outcomes:
        changes.entry("mail-report", station.clock(), message=number, **each._asdict())
        station.tell("mail.report", message=number, action=each.action, status=each.status)
        if each.action == "failed" and number is not None:
            duties.append(_failed(station, number, each))
    if identity:
        changes.handle(f"mail {identity}", "", "", number or 0)
    await station.enqueue(changes, duties)
    return "250 2.0.0 report taken"


def _reported(station: Station, message: EmailMessage) -> tuple[int | None, list[Outcome]]:
    """Which telegram of ours a report is about, by the envelope's identity (`ENVID`) or the returned
    Message-ID, and what it says of each mailbox."""
    identity, returned = "", None
    outcomes: list[Outcome] = []
    for part in message.walk():
        kind = part.get_content_type()
        if kind == "message/delivery-status":
            for fields in part.get_payload():
                assert isinstance(fields, Message)
                identity = _field(fields, "Original-Envelope-Id") or identity
                if fields["Action"]:
                    recipient = _field(fields, "Original-Recipient") or _field(
                        fields, "Final-Recipient"
                    )
                    outcomes.append(
                        Outcome(
                            recipient.rpartition(";")[2].strip(),
                            _field(fields, "Action").lower(),
                            _field(fields, "Status"),
                            _field(fields, "Diagnostic-Code").partition(";")[2].strip(),
                        )
                    )
        elif kind in ("text/rfc822-headers", "message/rfc822"):
            match = _OURS.search(part.as_string())
            returned = match["hop"] if match else returned
    named = re.match(r"([0-9]{1,15})\.[0-9]+\Z", identity)
    number = int(named[1]) if named else None
    if number is None and returned is not None:
        sent = [e for e in station.journal.entries(hop=returned) if e.kind == "sending"]
        number = sent[-1].message if sent else None
    if number is None or _sending(station, number) is None:
        return None, outcomes
    return number, outcomes


def _field(fields: Message, name: str) -> str:
    return " ".join(str(fields.get(name, "")).split())


def _sending(station: Station, number: int) -> Entry | None:
    """When a message last went by mail."""
    mail = {c.name for c in station.config.circuit if c.kind == "mail"}
    entries = station.journal.entries(message=number)
    return next((e for e in reversed(entries) if e.kind == "sending" and e.circuit in mail), None)


def _failed(station: Station, number: int, outcome: Outcome) -> Duty:
    """A telegram that did not reach a mailbox, before the operator: with the stations of that mailbox, or
    all to which it went."""
    sent = _sending(station, number)
    assert sent is not None
    wanted = str(sent.detail.get("to", "")).split()
    served = {
        entry.routing_indicator
        for entry in station.config.directory.entries
        if (entry.mailbox or "").lower() == outcome.recipient.lower()
    }
    routing = tuple(each for each in wanted if each in served) or tuple(wanted)
    words = " ".join((outcome.status, outcome.diagnostic)).strip()
    note = f"the mail to {outcome.recipient} was not delivered: {words}"
    letter = str(sent.detail.get("letter", "R"))
    return station.new_duty(number, OPERATOR, letter, routing, note=note)


def _one_line(text: str) -> str:
    return " ".join(text.encode("ascii", "replace").decode().split())[:400]


class _Caller:
    """What both protocols share: the door knows who is there, and a mail that hardly comes is not waited
    for."""

    door: MailDoor
    transport: Any
    _came = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)  # type: ignore[misc]
        self.door.came(self)

    def connection_lost(self, error: Exception | None) -> None:
        self.door.callers.pop(self, None)
        super().connection_lost(error)  # type: ignore[misc]

    def data_received(self, data: bytes) -> None:
        self._came += len(data)
        if self._came >= _LEAST_BYTES:
            # The time allowed runs anew for so many bytes, not for one.
            self._came = 0
            self._reset_timeout()
        super().data_received(data)  # type: ignore[misc]

    def leave(self) -> None:
        """End the connection at once."""
        if self.transport is not None:
            self.transport.abort()

    def _reset_timeout(self, duration: float | None = None) -> None:
        super()._reset_timeout(duration)  # type: ignore[misc]


class _SmtpCaller(_Caller, SMTP):
    pass


class _LmtpCaller(_Caller, LMTP):
    pass


class MailDoor:
    """Listens for mail where the configuration says. However many call, no more than `limits.connections`
    are kept: a new one takes the place of the one that has handed in nothing for longest."""

    def __init__(self, station: Station) -> None:
        self._station = station
        self._server: asyncio.Server | None = None
        self._settings: Any = None
        self.callers: dict[Any, None] = {}
        """Connections, first the one that has handed in nothing for longest."""

    async def apply(self) -> None:
        """Listen, or stop, as the configuration now says."""
        config = self._station.config
        settings = config.mail
        if self._server is not None and settings != self._settings:
            await self.stop()
        if self._server is None and settings.listen:
            host, port = address(settings.listen)
            loop = asyncio.get_running_loop()
            self._server = await loop.create_server(self._protocol, host, port, backlog=_BACKLOG)
        self._settings = settings

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        for caller in list(self.callers):
            caller.leave()

    def came(self, caller: Any) -> None:
        """Somebody called, or handed in a mail."""
        self.callers.pop(caller, None)
        self.callers[caller] = None
        while len(self.callers) > self._station.config.limits.connections:
            oldest = next(iter(self.callers))
            del self.callers[oldest]
            oldest.leave()
            place = self._station.config.mail.listen
            self._station.tell("connection.refused", place=place, why="too many connections")

    def _protocol(self) -> SMTP:
        config = self._station.config
        settings = config.mail
        context = None
        if settings.certificate and settings.key:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.minimum_version = ssl.TLSVersion.TLSv1_2
            context.load_cert_chain(
                config.folder / settings.certificate, config.folder / settings.key
            )
        assert settings.listen
        kind = _LmtpCaller if settings.protocol == "lmtp" else _SmtpCaller
        caller = kind(
            _Door(self._station, self),
            hostname=settings.hostname,
            # A mail is longer than the telegram in it; that is measured when it is taken out.
            data_size_limit=2 * config.limits.message_bytes + _MAIL_AROUND,
            tls_context=context,
            require_starttls=context is not None
            and not LOOPBACK.match(address(settings.listen)[0]),
            authenticator=self._authenticate if settings.accounts else None,
            auth_require_tls=context is not None,
            timeout=config.limits.slow_sender_s,
            command_call_limit=_COMMANDS,
            ident="Reftel",
        )
        caller.door = self
        return caller

    def _authenticate(
        self, server: Any, session: Session, envelope: Envelope, mechanism: str, data: Any
    ) -> AuthResult:
        del server, session, envelope, mechanism
        if not isinstance(data, LoginPassword):
            return AuthResult(success=False)
        accounts = self._station.config.mail.accounts
        login = data.login.decode("utf-8", "replace")
        kept = accounts.get(login, "")
        right = matches(kept, data.password.decode("utf-8", "replace"))
        return AuthResult(success=right, auth_data=login)
