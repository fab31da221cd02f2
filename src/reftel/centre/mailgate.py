"""Mail, in and out: RFC 5321 by SMTP or LMTP, telegrams by `reftel.write.mail` (wire-format.md 12).

To another Reftel station a mail carries the exact wire text, which is what is taken at the other end; to
everybody else it is a mail to read. A mail handed in by a person is a telegram of this station.
"""

from __future__ import annotations

import asyncio
import contextlib
import smtplib
import ssl
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from typing import Any

from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

import reftel
from reftel.centre import accepting, origin, sending
from reftel.centre.accepting import Refused
from reftel.centre.config import CircuitConfig, Config, address
from reftel.centre.journal import Changes
from reftel.centre.journalfile import OPERATOR, Duty, JournalError
from reftel.centre.passwords import matches
from reftel.centre.scan import scan, text_of
from reftel.centre.sending import Transmission
from reftel.centre.station import Station
from reftel.tables.directory import Directory
from reftel.write.mail import ATTACHED, MailError, from_mail, to_mail

_TIMEOUT_S = 60.0
_LONGEST_DELAY_S = 300.0
_PRIORITIES = {"Y": 6, "Z": 4, "O": 2, "P": 0, "R": -2}


class MailCircuit:
    """One circuit whose line is a mail server."""

    def __init__(self, station: Station, config: CircuitConfig) -> None:
        self._station = station
        self._config = config

    async def run(self) -> None:
        """Send until cancelled; a server that does not answer is tried again with growing pauses."""
        station, name = self._station, self._config.name
        circuit = station.circuits[name]
        left = list(circuit.flight.values())
        await sending.interrupted(station, name, left, whole=True, why="the centre stopped")
        delay = 0.5
        while station.circuits.get(name) is circuit:
            if station.trouble is not None:
                await asyncio.sleep(1.0)
                continue
            circuit.wake.clear()
            try:
                found = await sending.next_transmissions(station, name, 20)
                if not found:
                    await circuit.wake.wait()
                    continue
                await self._send(found)
                delay = 0.5
                await sending.circuit_changed(station, name, True, "the mail server takes mail")
            except (OSError, smtplib.SMTPException) as error:
                await sending.circuit_changed(station, name, False, f"the mail server: {error}")
                await asyncio.sleep(delay)
                delay = min(delay * 2, _LONGEST_DELAY_S)
            except JournalError:
                await asyncio.sleep(1.0)

    async def _send(self, found: list[Transmission]) -> None:
        station, name = self._station, self._config.name
        waiting = {each.duty.id: each.duty for each in found}
        mails: list[tuple[Duty, list[tuple[bytes, tuple[str, ...], int]]]] = []
        for each in found:
            try:
                mails.append((each.duty, self._mails(each)))
            except (MailError, reftel.NotATelegram, ValueError) as error:
                del waiting[each.duty.id]
                await station.to_operator(each.duty, f"no mail can be made of it: {error}")
        for duty, _ in mails:
            sending.note_start(station, duty)
        try:
            results = await asyncio.to_thread(self._hand_over, mails)
        except (OSError, smtplib.SMTPException) as error:
            await sending.interrupted(
                station, name, list(waiting.values()), whole=False, why=f"the mail server: {error}"
            )
            raise
        failure: Exception | None = None
        for duty, result in results:
            if result is None:
                await sending.arrived(station, name, [duty])
            elif _is_final(result):
                await station.to_operator(duty, f"the mail server refuses it: {result}")
            else:
                failure = result
                # Where the server gave no answer it may have taken the mail.
                await sending.interrupted(
                    station,
                    name,
                    [duty],
                    whole=not isinstance(result, _NotTakenError | smtplib.SMTPResponseException),
                    why=f"the mail server: {result}",
                )
        if failure is not None:
            raise failure

    def _mails(self, transmission: Transmission) -> list[tuple[bytes, tuple[str, ...], int]]:
        """The mails of a transmission: bytes, mailboxes, priority."""
        duty, config = transmission.duty, self._station.config
        text = text_of(transmission.data)
        if self._config.mailbox:
            return [
                (
                    self._wrapped(text, duty),
                    (self._config.mailbox,),
                    _PRIORITIES.get(duty.letter, 0),
                )
            ]
        telegram = reftel.read(text)
        wanted = set(duty.routing)
        entries = [e for e in config.directory.entries if e.kind == "collective"]
        for entry in config.directory.entries:
            if entry.kind != "station":
                continue
            sender = telegram.originator is not None and entry is config.directory.named(
                telegram.originator.name
            )
            if sender or entry.routing_indicator in wanted:
                entries.append(entry)
        with contextlib.suppress(ValueError):
            mail = to_mail(telegram, Directory(entries), wire=text)
            return [
                (data, envelope.mailboxes, envelope.mt_priority)
                for data, envelope in zip(mail.messages, mail.envelopes, strict=True)
            ]
        # A collective lacks members here: the stations alone.
        mail = to_mail(telegram, Directory(e for e in entries if e.kind == "station"), wire=text)
        return [
            (data, envelope.mailboxes, envelope.mt_priority)
            for data, envelope in zip(mail.messages, mail.envelopes, strict=True)
        ]

    def _wrapped(self, text: str, duty: Duty) -> bytes:
        """A mail between two stations: the exact text, and a line that says what it is."""
        config = self._station.config
        message = EmailMessage(policy=policy.SMTP)
        message["From"] = config.mail.mailbox or f"centre@{config.mail.hostname}"
        message["To"] = self._config.mailbox or ""
        message["Subject"] = f"Telegram {duty.hop}"
        ours = config.station.routing_indicator
        message["Message-ID"] = f"<{ours}.{duty.hop}.{duty.id}@{config.mail.hostname}>"
        message["MMHS-Originator-PLAD"] = config.station.name
        message["MT-Priority"] = str(_PRIORITIES.get(duty.letter, 0))
        message.set_content(f"A telegram for {' '.join(duty.routing)} is attached.\n")
        message.add_attachment(text, subtype="plain", filename=ATTACHED)
        return message.as_bytes()

    def _hand_over(
        self, mails: list[tuple[Duty, list[tuple[bytes, tuple[str, ...], int]]]]
    ) -> list[tuple[Duty, Exception | None]]:
        """Speak with the server, in a thread. A failure of one mail is that mail's."""
        settings = self._station.config.mail
        results: list[tuple[Duty, Exception | None]] = []
        gone: Exception | None = None
        with _connect(self._station.config) as server:
            sender = settings.mailbox or f"centre@{settings.hostname}"
            for duty, parts in mails:
                if gone is not None:
                    results.append((duty, _NotTakenError(str(gone))))
                    continue
                try:
                    for data, mailboxes, priority in parts:
                        options = []
                        if server.has_extn("mt-priority"):
                            options.append(f"MT-PRIORITY={priority}")
                        recipient = []
                        if server.has_extn("dsn"):
                            options.append(f"ENVID={duty.message}.{duty.id}")
                            recipient.append("NOTIFY=SUCCESS,FAILURE")
                        some = server.sendmail(sender, mailboxes, data, options, recipient)
                        if some:
                            raise smtplib.SMTPRecipientsRefused(some)
                    results.append((duty, None))
                except smtplib.SMTPRecipientsRefused as error:
                    codes = [code for code, _ in error.recipients.values()]
                    later = max(codes) < 500 and len(codes) == len(mailboxes)
                    results.append((duty, _NotTakenError(str(error)) if later else error))
                except smtplib.SMTPResponseException as error:
                    results.append((duty, error))
                except (OSError, smtplib.SMTPException) as error:
                    results.append((duty, error))
                    gone = error
        return results


class _NotTakenError(smtplib.SMTPException):
    """A mail that the server did not take and may take later."""


def _is_final(error: Exception) -> bool:
    """Whether a server will never take a mail, or not for all its mailboxes; a person decides then."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return True
    return isinstance(error, smtplib.SMTPResponseException) and error.smtp_code >= 500


def _connect(config: Config) -> smtplib.SMTP:
    mail = config.mail
    assert mail.server is not None
    host, port = address(mail.server)
    server = smtplib.SMTP(host, port, local_hostname=mail.hostname, timeout=_TIMEOUT_S)
    try:
        server.ehlo()
        if mail.starttls:
            context = ssl.create_default_context(
                cafile=str(config.folder / mail.authority) if mail.authority else None
            )
            server.starttls(context=context)
            server.ehlo()
        if mail.user and mail.password_file:
            password = (config.folder / mail.password_file).read_text(encoding="utf-8").strip()
            server.login(mail.user, password)
    except BaseException:
        server.close()
        raise
    return server


class _Door:
    """What the mail server's library asks when somebody hands in a mail."""

    def __init__(self, station: Station) -> None:
        self._station = station

    async def handle_DATA(  # noqa: N802  the library's name
        self, server: Any, session: Session, envelope: Envelope
    ) -> str:
        del server
        station = self._station
        data = envelope.content
        assert isinstance(data, bytes)
        message = BytesParser(policy=policy.default).parsebytes(data)
        assert isinstance(message, EmailMessage)
        sender = (envelope.mail_from or "").lower()
        try:
            if message.get_content_type() == "multipart/report" or not sender:
                return await _report(station, message)
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
        wire = content.encode("latin-1", "replace") if isinstance(content, str) else bytes(content)
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


async def _report(station: Station, message: EmailMessage) -> str:
    """A delivery report (RFC 3464) is put to the message that it is about."""
    envid, action, status = "", "", ""
    for part in message.walk():
        if part.get_content_type() == "message/delivery-status":
            for fields in part.iter_parts() if part.is_multipart() else ():
                envid = str(fields.get("Original-Envelope-Id", envid))
                action = str(fields.get("Action", action)).lower()
                status = str(fields.get("Status", status))
    number = int(envid.split(".")[0]) if envid.split(".")[0].isdigit() else None
    changes = Changes()
    known = number is not None and station.journal.message(number) is not None
    changes.entry(
        "mail-report",
        station.clock(),
        message=number if known else None,
        action=action,
        status=status,
    )
    if action == "failed" and known and number is not None:
        note = f"the mail was not delivered: status {status}"
        duty = station.new_duty(number, OPERATOR, "R", (), note=note)
        await station.enqueue(changes, [duty])
    else:
        await station.commit(changes)
    return "250 2.0.0 report taken"


def _one_line(text: str) -> str:
    return " ".join(text.encode("ascii", "replace").decode().split())[:400]


class MailDoor:
    """Listens for mail where the configuration says."""

    def __init__(self, station: Station) -> None:
        self._station = station
        self._server: asyncio.Server | None = None
        self._settings: Any = None

    async def apply(self) -> None:
        """Listen, or stop, as the configuration now says."""
        config = self._station.config
        settings = config.mail
        if self._server is not None and settings != self._settings:
            await self.stop()
        if self._server is None and settings.listen:
            host, port = address(settings.listen)
            loop = asyncio.get_running_loop()
            self._server = await loop.create_server(self._protocol, host, port)
        self._settings = settings

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None

    def _protocol(self) -> SMTP:
        config = self._station.config
        settings = config.mail
        context = None
        if settings.certificate and settings.key:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(
                config.folder / settings.certificate, config.folder / settings.key
            )
        kind = LMTP if settings.protocol == "lmtp" else SMTP
        return kind(
            _Door(self._station),
            hostname=settings.hostname,
            data_size_limit=config.limits.message_bytes,
            tls_context=context,
            authenticator=self._authenticate if settings.accounts else None,
            auth_require_tls=context is not None,
            timeout=config.limits.slow_sender_s,
            ident="Reftel",
        )

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
