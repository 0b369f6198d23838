"""The picture in a reminder mail: calls of the last 30 days as bars. Digits only, so that it serves every language."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from io import BytesIO

WIDTH, HEIGHT = 800, 320
"""Pixels. It is shown 528 wide at most and some 330 on a phone, where its digits must still be readable."""
LEFT, RIGHT, TOP, BOTTOM = 20, 20, 56, 54
PAPER, LINE, INK, BAR, TODAY = "#f7f9f8", "#c4cdca", "#43504d", "#17567a", "#8fb4c8"
TEXT_SIZE = 30


def usage_picture(days: Sequence[date], calls: Sequence[int]) -> bytes:
    """A PNG of one bar a day, the last one (today, not over yet) paler; the highest count and the days are named."""
    from PIL import Image, ImageDraw, ImageFont  # here: only whoever writes a reminder needs it

    image = Image.new("RGB", (WIDTH, HEIGHT), PAPER)
    draw = ImageDraw.Draw(image)
    font = ImageFont.load_default(TEXT_SIZE)
    top, bottom = TOP, HEIGHT - BOTTOM
    highest = max(calls, default=0)
    draw.line((LEFT, top, WIDTH - RIGHT, top), LINE, 2)
    draw.text((LEFT, top - 8), f"{highest:,}", INK, font, anchor="lb")
    pitch = (WIDTH - LEFT - RIGHT) / len(days)
    for index, count in enumerate(calls):
        if count:
            left = LEFT + index * pitch
            height = max(3.0, (bottom - top) * count / highest)
            colour = TODAY if index == len(days) - 1 else BAR
            draw.rectangle((left + 2, bottom - height, left + pitch - 3, bottom), colour)
    draw.line((LEFT, bottom, WIDTH - RIGHT, bottom), INK, 2)
    for index, anchor in ((0, "lt"), (len(days) // 2, "mt"), (len(days) - 1, "rt")):
        x = {"l": LEFT, "m": LEFT + (index + 0.5) * pitch, "r": WIDTH - RIGHT}[anchor[0]]
        draw.text((x, bottom + 14), f"{days[index]:%m-%d}", INK, font, anchor=anchor)
    file = BytesIO()
    image.quantize(16, dither=Image.Dither.NONE).save(file, "PNG", optimize=True)
    return file.getvalue()
