"""How a telegram lies in the store: its text compressed, its record compressed against its text.

Telegrams are short and much alike, so their texts share a dictionary, which an archive makes of its
first ones. A record repeats the text that it was read from, so the text is the dictionary for it.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import cached_property

import msgspec

from reftel.archive.model import DamagedError
from reftel.telegram import Element, Telegram

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

SAMPLES = 1000
"""How many telegrams a dictionary is made of."""
TRAIN_AT = (SAMPLES, 10 * SAMPLES, 100 * SAMPLES)
"""How many telegrams an archive holds when its dictionaries are made."""

_DICTIONARY_BYTES = 256 * 1024
_LEVEL = 3
_RECORDS = 4


class Dictionary:
    """What texts and records of an archive have in common; 0 is none."""

    def __init__(self, number: int = 0, text: bytes = b"", record: bytes = b"") -> None:
        self.number = number
        self.text = text
        self.record = record

    @cached_property
    def for_text(self) -> zstd.ZstdDict | None:
        return zstd.ZstdDict(self.text) if self.text else None

    @cached_property
    def compressor(self) -> zstd.ZstdCompressor:
        """Makes a frame of a text; to begin a new one for each would take a quarter of the time."""
        shared = self.for_text
        return zstd.ZstdCompressor(
            options=_options, zstd_dict=shared.as_digested_dict if shared else None
        )

    def for_record(self, text: bytes) -> tuple[zstd.ZstdDict, int]:
        return zstd.ZstdDict(self.record + text or b"\0" * 8, is_raw=True).as_prefix


NONE = Dictionary()


class _Packed(msgspec.Struct, array_like=True):
    """A record without its source; elements as the kinds that occur, a byte for each element's kind, and
    their lengths."""

    kinds: list[str]
    places: bytes
    lengths: bytes
    record: msgspec.Raw


_encoder = msgspec.msgpack.Encoder()
_packed_decoder = msgspec.msgpack.Decoder(_Packed)
_record_decoder = msgspec.msgpack.Decoder(Telegram)
_options = {
    int(zstd.CompressionParameter.compression_level): _LEVEL,
    int(zstd.CompressionParameter.checksum_flag): 1,
}


def pack(telegrams: Sequence[Telegram], dictionary: Dictionary = NONE) -> list[tuple[bytes, bytes]]:
    """Text and record of each telegram as the store keeps them. All texts are packed before the first
    record, so that the dictionary stays at hand."""
    texts = [telegram.source.encode("utf-8", "surrogatepass") for telegram in telegrams]
    compressor = dictionary.compressor
    sources = [compressor.compress(text, compressor.FLUSH_FRAME) for text in texts]
    records = list(map(_packed, telegrams))
    return [
        (source, zstd.compress(record, options=_options, zstd_dict=dictionary.for_record(text)))
        for source, record, text in zip(sources, records, texts, strict=True)
    ]


def _packed(telegram: Telegram) -> bytes:
    # There are a hundred elements and more: these lines cost as much as the compression.
    kinds = [element.kind for element in telegram.elements]
    index = {kind: at for at, kind in enumerate(dict.fromkeys(kinds))}
    record = msgspec.structs.replace(telegram, source="", elements=())
    return _encoder.encode(
        _Packed(
            list(index),
            bytes(map(index.__getitem__, kinds)),
            _numbers_packed([element.end - element.start for element in telegram.elements]),
            msgspec.Raw(_encoder.encode(record)),
        )
    )


def unpack_text(packed: bytes, dictionary: Dictionary = NONE) -> str:
    """The exact text of a telegram. Raises `DamagedError`."""
    try:
        return zstd.decompress(packed, zstd_dict=dictionary.for_text).decode(
            "utf-8", "surrogatepass"
        )
    except (zstd.ZstdError, UnicodeDecodeError) as error:
        raise DamagedError(f"its text cannot be read: {error}") from error


def unpack(
    packed_text: bytes,
    packed_record: bytes,
    dictionary: Dictionary = NONE,
    *,
    elements: bool = True,
) -> Telegram:
    """The telegram that `pack` packed, with its elements or without. Raises `DamagedError`."""
    source = unpack_text(packed_text, dictionary)
    text = source.encode("utf-8", "surrogatepass")
    try:
        packed = _packed_decoder.decode(
            zstd.decompress(packed_record, zstd_dict=dictionary.for_record(text))
        )
        record = _record_decoder.decode(packed.record)
        made: list[Element] = []
        at = 0
        for place, length in (
            zip(packed.places, _numbers(packed.lengths), strict=True) if elements else ()
        ):
            made.append(Element(packed.kinds[place], at, at + length))
            at += length
    except (zstd.ZstdError, msgspec.MsgspecError, ValueError, IndexError) as error:
        raise DamagedError(f"its record cannot be read: {error}") from error
    return msgspec.structs.replace(record, source=source, elements=tuple(made))


def train(telegrams: Sequence[Telegram], number: int) -> Dictionary:
    """A dictionary of telegrams; some hundreds of them are wanted."""
    texts = [telegram.source.encode("utf-8", "surrogatepass") for telegram in telegrams]
    # A small archive is not to consist of its dictionary.
    shared = zstd.train_dict(texts, min(_DICTIONARY_BYTES, sum(map(len, texts)) // 20))
    # The names of the fields, and values that recur; the words are in the text.
    records = [
        _packed(msgspec.structs.replace(telegram, body=(), citations=()))
        for telegram in telegrams[:: max(len(telegrams) // _RECORDS, 1)][:_RECORDS]
    ]
    return Dictionary(number, shared.dict_content, b"".join(records))


def _numbers_packed(values: list[int]) -> bytes:
    """Seven bits a byte, the lowest first; a number's last byte has no high bit."""
    most = max(values, default=0)
    if most < 128:
        return bytes(values)
    if most < _SHORT:
        return b"".join([_PACKED[value] for value in values])
    out = bytearray()
    for value in values:
        while value > 127:
            out.append(value & 127 | 128)
            value >>= 7
        out.append(value)
    return bytes(out)


_SHORT = 1 << 11
_PACKED = [bytes((n,)) if n < 128 else bytes((n & 127 | 128, n >> 7)) for n in range(_SHORT)]


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
