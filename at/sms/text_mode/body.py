"""Message bodies of text mode, both ways (TS 27.005 §3.1, <data>)."""

from __future__ import annotations

from at.errors import DecodeError, EncodeError
from at.sms.alphabets import gsm7
from at.sms.alphabets.charsets import hex_octets, read, write
from at.sms.dcs import CODINGS, Alphabet, Dcs
from at.sms.text_mode.header import Header
from at.sms.userdata import UserData, decode_user_data, encode_user_data

_UDHI = 0x40
_LINE_END = 2  # CR LF
_SHOWN_AS_HEX = frozenset({"UCS2", "HEX"})


def _is_characters(header: Header, charset: str) -> bool:
    """Whether the body is shown as characters, among which line ends may be; else it is hex."""
    return (
        header.kind in {"deliver", "submit"}
        and header.dcs is not None
        and CODINGS[header.dcs].coding is Alphabet.GSM7
        and not (header.first_octet or 0) & _UDHI
        and charset not in _SHOWN_AS_HEX
    )


def body_length(header: Header, charset: str) -> int | None:
    """At least how many bytes of body follow on the line, None where one line is all there is.

    Exact for the set GSM. The other sets show one character for the two septets of an escape pair,
    and only some modules count characters in <length>: then the body may be up to twice as long.
    """
    if header.kind == "status-report":
        return 0
    if header.length is None or not _is_characters(header, charset):
        return None
    return header.length if charset == "GSM" else (header.length + 1) // 2


def body_ends(header: Header, body: str, charset: str) -> bool:
    """Whether a body shown as characters has the header's length, in septets or in characters.

    True also where the header does not say, or where the body is hex.
    """
    if header.length is None or not _is_characters(header, charset):
        return True
    if charset == "GSM":
        return len(body) == header.length
    text = read(body, charset)
    return header.length in {len(text), gsm7.septets(text) if gsm7.can(text) else len(text)}


def read_body(header: Header, body: str, charset: str, flags: list[str]) -> tuple[Dcs, UserData]:
    """Coding and content. Raises DecodeError("udh" when a header is not shown, "text")."""
    if header.dcs is None:
        flags.append("dcs")
        return _as_text(read(body, charset))
    dcs = CODINGS[header.dcs]
    if (header.first_octet or 0) & _UDHI:
        return dcs, _with_header(dcs, header.length, body, flags)
    if dcs.coding is Alphabet.GSM7:
        return _septets(header, dcs, body, charset, flags)
    octets = hex_octets(body)
    if octets is None:
        flags.append("hex")
        octets = (
            read(body, charset).encode("utf-16-be")
            if dcs.coding is Alphabet.UCS2
            else body.encode("latin-1")
        )
    return dcs, UserData(dcs.coding, octets)


def _septets(
    header: Header, dcs: Dcs, body: str, charset: str, flags: list[str]
) -> tuple[Dcs, UserData]:
    text = read(body, charset)
    if not body_ends(header, body, charset):
        if 0 < (header.length or 0) - len(body) <= _LINE_END:
            flags.append("length")  # some modules count the line end, or one octet of it
        else:
            raise DecodeError("text", 0, need=header.length, have=len(body), detail="body cut")
    if charset == "GSM":  # septets as they were on the air
        return dcs, UserData(Alphabet.GSM7, body.encode("latin-1"))
    if charset == "HEX":
        return dcs, UserData(Alphabet.GSM7, bytes.fromhex(body))
    if gsm7.can(text):
        return dcs, UserData(Alphabet.GSM7, gsm7.encode(text))
    flags.append("dcs")  # shown in characters that its own coding does not have
    return _as_text(text)


def _as_text(text: str) -> tuple[Dcs, UserData]:
    if gsm7.can(text):
        return CODINGS[0], UserData(Alphabet.GSM7, gsm7.encode(text))
    return CODINGS[8], UserData(Alphabet.UCS2, text.encode("utf-16-be"))


def _with_header(dcs: Dcs, length: int | None, body: str, flags: list[str]) -> UserData:
    """With TP-UDHI all octets are shown in hex, the header first."""
    octets = hex_octets(body)
    if not octets:
        raise DecodeError("udh", 0, detail="there was a header, but it is not shown")
    count = len(octets)
    if dcs.coding is Alphabet.GSM7:
        if length is not None and (7 * length + 7) // 8 == count:
            count = length
        else:
            # The length is missing or counts something else: eight septets end with their octet,
            # and a last one of zero bits is taken for filling.
            count = count * 8 // 7
            if octets[-1] < 2 and not count % 8:
                count -= 1
            flags.append("udl")
    try:
        user_data, _ = decode_user_data(bytes((count & 0xFF,)) + octets, 0, dcs, True, flags)
    except DecodeError as error:
        raise DecodeError("udh", 0, detail=str(error)) from None
    return user_data


def write_body(user_data: UserData, dcs: Dcs, charset: str) -> bytes:
    """The bytes behind the prompt, without Ctrl-Z. Raises EncodeError("ud", "text").

    Refused: what would end the prompt early (Ctrl-Z, ESC) or is not in the character set.
    """
    if user_data.udh or dcs.coding is not Alphabet.GSM7:
        return encode_user_data(user_data, dcs)[1:].hex().upper().encode("ascii")
    if charset == "GSM":
        body = user_data.octets
    elif charset == "HEX":
        body = user_data.octets.hex().upper().encode("ascii")
    else:
        body = write(gsm7.decode(user_data.octets), charset).encode("latin-1")
    if b"\x1a" in body or b"\x1b" in body:
        raise EncodeError("ud", f"a character that ends the prompt, in {charset}")
    return body
