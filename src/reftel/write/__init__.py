"""Write telegrams: a record in, text out; no input or output."""

from reftel.write.charset import Change, Charset
from reftel.write.circuit import decode, encode
from reftel.write.sections import split
from reftel.write.written import CannotWriteError, Written, write

__all__ = ["CannotWriteError", "Change", "Charset", "Written", "decode", "encode", "split", "write"]
