"""Mail out, by SMTP (RFC 5321), telegrams by `reftel.write.mail` (wire-format.md 12).

To another Reftel station a mail carries the exact wire text, which is what is taken at the other end; to
everybody else it is a mail to read. `maildoor` takes what comes.
"""

from __future__ import annotations

import asyncio
import contextlib
import smtplib
import ssl
from email import policy
from email.message import EmailMessage
from typing import NamedTuple

import reftel
from reftel.centre import sending
from reftel.centre.config import CircuitConfig, Config, address
from reftel.centre.journalfile import Duty, JournalError
from reftel.centre.scan import text_of
from reftel.centre.sending import Transmission
from reftel.centre.station import Station
from reftel.read.dtg import PRECEDENCES
from reftel.tables.directory import Directory
from reftel.write.mail import ATTACHED, MailError, to_mail

_TIMEOUT_S = 60.0
_FIRST_DELAY_S, _LONGEST_DELAY_S = 0.5, 300.0
_AT_ONCE = 20
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
        delay = _FIRST_DELAY_S
        while station.circuits.get(name) is circuit:
            if station.trouble is not None:
                await asyncio.sleep(1.0)
                continue
            circuit.wake.clear()
            if circuit.up and not len(circuit.queue):
                await circuit.wake.wait()
                continue
            try:
                # Numbers are given when there is somebody to send to.
                server = await _connected(station.config)
                waits = len(circuit.queue) > 0
                await self._send(server, await sending.next_transmissions(station, name, _AT_ONCE))
                if waits or not circuit.up:
                    await sending.circuit_changed(station, name, True, "the mail server takes mail")
                delay = _FIRST_DELAY_S
            except (OSError, smtplib.SMTPException) as error:
                await sending.circuit_changed(
                    station, name, False, f"the mail server: {_said(error)}"
                )
                await asyncio.sleep(delay)
                delay = min(delay * 2, _LONGEST_DELAY_S)
            except JournalError:
                await asyncio.sleep(1.0)

    async def _send(self, server: smtplib.SMTP, found: list[Transmission]) -> None:
        station, name = self._station, self._config.name
        mails: list[tuple[Duty, list[_Part]]] = []
        for each in found:
            try:
                mails.append((each.duty, self._mails(each)))
            except (MailError, reftel.NotATelegram, ValueError) as error:
                await station.to_operator(each.duty, f"no mail can be made of it: {error}")
        for duty, _ in mails:
            sending.note_start(station, duty)
        failure: Exception | None = None
        for duty, outcome in await asyncio.to_thread(self._hand_over, server, mails):
            if outcome is None:
                await sending.arrived(station, name, [duty])
            elif outcome.final:
                why = f"the mail server refuses it: {_said(outcome.error)}"
                await station.to_operator(duty, why)
            else:
                failure = outcome.error
                why = f"the mail server: {_said(failure)}"
                await sending.interrupted(station, name, [duty], whole=outcome.in_doubt, why=why)
        if failure is not None:
            raise failure

    def _mails(self, transmission: Transmission) -> list[_Part]:
        """The mails of a transmission."""
        duty, config = transmission.duty, self._station.config
        text = text_of(transmission.data)
        if self._config.mailbox:
            priority = _PRIORITIES.get(duty.letter, 0)
            return [_Part(self._wrapped(text, duty), (self._config.mailbox,), priority)]
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
                _Part(data, envelope.mailboxes, envelope.mt_priority)
                for data, envelope in zip(mail.messages, mail.envelopes, strict=True)
            ]
        # A collective lacks members here: the stations alone.
        mail = to_mail(telegram, Directory(e for e in entries if e.kind == "station"), wire=text)
        return [
            _Part(data, envelope.mailboxes, envelope.mt_priority)
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
        # Where a server has no MT-PRIORITY the header carries it (RFC 6758).
        word = PRECEDENCES.get(duty.letter, "ROUTINE")
        message["MT-Priority"] = f"{_PRIORITIES.get(duty.letter, 0)} ({word}, STANAG4406)"
        message.set_content(f"A telegram for {' '.join(duty.routing)} is attached.\n")
        message.add_attachment(text, subtype="plain", filename=ATTACHED)
        return message.as_bytes()

    def _hand_over(
        self, server: smtplib.SMTP, mails: list[tuple[Duty, list[_Part]]]
    ) -> list[tuple[Duty, _Failure | None]]:
        """Speak with the server, in a thread, and part from it. A failure of one mail is that mail's."""
        settings = self._station.config.mail
        sender = settings.mailbox or f"centre@{settings.hostname}"
        results: list[tuple[Duty, _Failure | None]] = []
        try:
            for duty, parts in mails:
                failure: _Failure | None = None
                for at, part in enumerate(parts):
                    try:
                        _transact(server, sender, part, f"{duty.message}.{duty.id}")
                    except (OSError, smtplib.SMTPException) as error:
                        # To some of them it may go a second time.
                        in_doubt = at > 0 or isinstance(error, _InDoubtError)
                        failure = _Failure(error, _is_final(error, part), in_doubt)
                        break
                results.append((duty, failure))
        finally:
            with contextlib.suppress(OSError, smtplib.SMTPException):
                server.quit()
            server.close()
        return results


class _Part(NamedTuple):
    """One transaction of a telegram's mail: the bytes, to whom, with which MT-PRIORITY."""

    data: bytes
    mailboxes: tuple[str, ...]
    priority: int


class _Failure(NamedTuple):
    """Why a mail was not taken, whether it never will be, and whether it may have been all the same."""

    error: Exception
    final: bool
    in_doubt: bool


class _InDoubtError(smtplib.SMTPServerDisconnected):
    """The connection ended when the server had the mail and had not said whether it takes it."""


def _transact(server: smtplib.SMTP, sender: str, part: _Part, identity: str) -> None:
    """One mail transaction. Raises `SMTPRecipientsRefused` where some mailboxes are refused, the others
    then having it; `SMTPResponseException`; `_InDoubtError`; `OSError`."""
    if server.sock is None:
        # An earlier answer closed the connection.
        raise smtplib.SMTPServerDisconnected("the connection was closed")
    options, wanted = [], []
    if server.has_extn("size"):
        options.append(f"SIZE={len(part.data)}")
    if server.has_extn("8bitmime") and not part.data.isascii():
        options.append("BODY=8BITMIME")
    if server.has_extn("mt-priority"):
        options.append(f"MT-PRIORITY={part.priority}")
    if server.has_extn("dsn"):
        # A report names the telegram; what went wrong does not carry it about.
        options += ["RET=HDRS", f"ENVID={identity}"]
        wanted.append("NOTIFY=SUCCESS,FAILURE,DELAY")
    code, said = server.mail(sender, options)
    if code != 250:
        raise smtplib.SMTPSenderRefused(code, said, sender)
    refused: dict[str, tuple[int, bytes]] = {}
    for mailbox in part.mailboxes:
        code, said = server.rcpt(mailbox, wanted)
        if code not in (250, 251):
            refused[mailbox] = (code, said)
    if len(refused) == len(part.mailboxes):
        server.rset()
        raise smtplib.SMTPRecipientsRefused(refused)
    try:
        code, said = server.data(part.data)
    except smtplib.SMTPDataError:
        raise
    except (OSError, smtplib.SMTPServerDisconnected) as error:
        raise _InDoubtError(str(error)) from error
    if code != 250:
        raise smtplib.SMTPDataError(code, said)
    if refused:
        raise smtplib.SMTPRecipientsRefused(refused)


def _is_final(error: Exception, part: _Part) -> bool:
    """Whether a server will never take a mail, or has it for some mailboxes alone; a person decides then."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        codes = [code for code, _ in error.recipients.values()]
        return max(codes) >= 500 or len(codes) < len(part.mailboxes)
    return isinstance(error, smtplib.SMTPResponseException) and error.smtp_code >= 500


def _said(error: Exception) -> str:
    """An answer of the server to read: `535 5.7.8 authentication failed`."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return "; ".join(
            f"{mailbox}: {code} {said.decode('utf-8', 'replace')}"
            for mailbox, (code, said) in error.recipients.items()
        )
    if isinstance(error, smtplib.SMTPResponseException):
        said = error.smtp_error
        text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
        return f"{error.smtp_code} {text}"
    return str(error) or type(error).__name__


def _close_late(connecting: asyncio.Future[smtplib.SMTP]) -> None:
    if not connecting.cancelled() and connecting.exception() is None:
        connecting.result().close()


async def _connected(config: Config) -> smtplib.SMTP:
    """A connection to the mail server; one that comes when nobody waits for it any more is closed."""
    connecting = asyncio.ensure_future(asyncio.to_thread(_connect, config))
    try:
        return await asyncio.shield(connecting)
    except asyncio.CancelledError:
        connecting.add_done_callback(_close_late)
        raise


def _connect(config: Config) -> smtplib.SMTP:
    mail = config.mail
    assert mail.server is not None
    host, port = address(mail.server)
    server = smtplib.SMTP(local_hostname=mail.hostname, timeout=_TIMEOUT_S)
    try:
        server.connect(host, port)
        # By which name the certificate is checked.
        server._host = mail.peer or host  # type: ignore[attr-defined]
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
