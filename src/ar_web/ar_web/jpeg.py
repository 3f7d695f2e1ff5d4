"""The size of a JPEG picture from its header, so that pictures are checked and passed on without decoding them."""

from __future__ import annotations

MAX_PIXELS = 64_000_000
# Start-of-frame markers (ITU-T T.81, table B.1): C0-CF without DHT, JPG and DAC.
_START_OF_FRAME = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_WITHOUT_LENGTH = frozenset({0x01, *range(0xD0, 0xD8)})


def jpeg_size(data: bytes | memoryview) -> tuple[int, int]:
    """(width, height) in pixels of the JPEG in ``data``; raises ValueError if it is not one, or was cut short."""
    if bytes(data[:2]) != b"\xff\xd8":
        raise ValueError(f"picture: {len(data)} bytes that do not begin like a JPEG; is the topic's format 'jpeg'?")
    if bytes(data[-2:]) != b"\xff\xd9":
        raise ValueError(f"picture: JPEG of {len(data)} bytes has no end marker: truncated on its way")
    at = 2
    while at + 9 <= len(data):
        if data[at] != 0xFF:
            break
        marker = data[at + 1]
        if marker == 0xFF or marker in _WITHOUT_LENGTH:  # fill byte, or a marker that stands alone
            at += 1 if marker == 0xFF else 2
            continue
        if marker in _START_OF_FRAME:
            height, width = int.from_bytes(data[at + 5 : at + 7], "big"), int.from_bytes(data[at + 7 : at + 9], "big")
            if not (width and height):
                raise ValueError(f"picture: JPEG header says {width}x{height} pixels")
            if width * height > MAX_PIXELS:
                raise ValueError(
                    f"picture: {width}x{height} pixels are over the limit of {MAX_PIXELS // 1_000_000} megapixels"
                )
            return width, height
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    raise ValueError(f"picture: no frame header in a JPEG of {len(data)} bytes: damaged on its way")
