"""How a telegram lies in the store: its text compressed, its record compressed against its text.

A record repeats the text that it was read from, so the text serves as the dictionary: it takes a
quarter of the text's size instead of three quarters.
"""

from __future__ import annotations

import zlib
from itertools import pairwise

import msgspec

from reftel.archive.model import DamagedError
from reftel.telegram import Element, Telegram

_WINDOW = 32_768
_TEXT_LEVEL, _RECORD_LEVEL = 6, 4


class _Packed(msgspec.Struct, array_like=True):
    """A record without its source; elements as the kinds that occur, a byte for each element's kind, and
    the ends."""

    kinds: list[str]
    places: bytes
    ends: bytes
    record: msgspec.Raw


_encoder = msgspec.msgpack.Encoder()
_packed_decoder = msgspec.msgpack.Decoder(_Packed)
_record_decoder = msgspec.msgpack.Decoder(Telegram)


def pack(telegram: Telegram) -> tuple[bytes, bytes]:
    """Text and record of a telegram as the store keeps them."""
    text = telegram.source.encode("utf-8", "surrogatepass")
    kinds = list(dict.fromkeys(element.kind for element in telegram.elements))
    index = {kind: at for at, kind in enumerate(kinds)}
    ends = [0, *(element.end for element in telegram.elements)]
    packed = _encoder.encode(
        _Packed(
            kinds,
            bytes(index[element.kind] for element in telegram.elements),
            b"".join(_number(end - start) for start, end in pairwise(ends)),
            msgspec.Raw(_encoder.encode(msgspec.structs.replace(telegram, source="", elements=()))),
        )
    )
    deflate = zlib.compressobj(_RECORD_LEVEL, zlib.DEFLATED, -15, 9, 0, text[-_WINDOW:])
    return zlib.compress(text, _TEXT_LEVEL), deflate.compress(packed) + deflate.flush()


def unpack_text(packed: bytes) -> str:
    """The exact text of a telegram. Raises `DamagedError`."""
    try:
        return zlib.decompress(packed).decode("utf-8", "surrogatepass")
    except (zlib.error, UnicodeDecodeError) as error:
        raise DamagedError(f"its text cannot be read: {error}") from error


def unpack(packed_text: bytes, packed_record: bytes) -> Telegram:
    """The telegram that `pack` packed. Raises `DamagedError`."""
    source = unpack_text(packed_text)
    text = source.encode("utf-8", "surrogatepass")
    try:
        inflate = zlib.decompressobj(-15, zdict=text[-_WINDOW:])
        packed = _packed_decoder.decode(inflate.decompress(packed_record) + inflate.flush())
        record = _record_decoder.decode(packed.record)
        elements: list[Element] = []
        at = 0
        for place, length in zip(packed.places, _numbers(packed.ends), strict=True):
            elements.append(Element(packed.kinds[place], at, at + length))
            at += length
    except (zlib.error, msgspec.MsgspecError, ValueError, IndexError) as error:
        raise DamagedError(f"its record cannot be read: {error}") from error
    return msgspec.structs.replace(record, source=source, elements=tuple(elements))


def _number(value: int) -> bytes:
    """Seven bits a byte, the lowest first; the last byte has no high bit."""
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def _numbers(data: bytes) -> list[int]:
    found: list[int] = []
    value = shift = 0
    for byte in data:
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            found.append(value)
            value = shift = 0
    return found
