"""Printed matter, drawn with Pillow: tea carton, newspaper, book spines, wall print. RGB float32 in 0..1."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from .noise import fractal, mix, ramp

Colour = NDArray[np.float32]

SYLLABLES = [
    "ka",
    "mo",
    "ri",
    "tel",
    "ban",
    "dor",
    "sil",
    "ven",
    "ata",
    "qui",
    "pol",
    "mar",
    "eth",
    "lun",
    "gra",
    "os",
    "tin",
    "fel",
    "bru",
    "wey",
    "nar",
    "hol",
]


def _font(size: int, bold: bool = False, serif: bool = True) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    name = f"DejaVu{'Serif' if serif else 'Sans'}{'-Bold' if bold else ''}.ttf"
    try:
        return ImageFont.truetype(name, size)
    except OSError:
        return ImageFont.load_default(size)


def _word(rng: np.random.Generator) -> str:
    return "".join(rng.choice(SYLLABLES) for _ in range(int(rng.integers(1, 4))))


def _column(
    draw: ImageDraw.ImageDraw, box: tuple[int, int, int, int], size: int, rng: np.random.Generator, ink: int = 38
) -> None:
    """Fill a box with justified-looking made-up prose."""
    font = _font(size)
    y = box[1]
    while y + size < box[3]:
        x: float = box[0] + (size if rng.random() < 0.12 else 0)
        end = box[2] if rng.random() > 0.12 else box[0] + (box[2] - box[0]) * rng.uniform(0.3, 0.8)
        while True:
            word = _word(rng) + ("," if rng.random() < 0.1 else "")
            length = draw.textlength(word, font=font)
            if x + length > end:
                break
            draw.text((x, y), word, fill=(ink, ink, ink + 3), font=font)
            x += length + size * 0.32
        y += int(size * 1.28)


def _array(image: Image.Image) -> Colour:
    return np.asarray(image, np.float32) / 255.0


def newspaper(rng: np.random.Generator) -> Colour:
    """A folded page, 0.28 x 0.38 m at 6.4 px/mm: masthead, columns, a halftone picture, a half-solved crossword."""
    width, height = 1792, 2432
    page = Image.new("RGB", (width, height), (214, 208, 194))
    draw = ImageDraw.Draw(page)
    ink = (36, 35, 38)
    draw.text((90, 60), "The Morning Kettle", fill=ink, font=_font(148, bold=True))
    draw.line((80, 260, width - 80, 260), fill=ink, width=6)
    draw.text(
        (90, 272), "No. 99    TABLE EDITION    WEATHER: STEAM, CLEARING LATER", fill=ink, font=_font(34, serif=False)
    )
    draw.line((80, 326, width - 80, 326), fill=ink, width=3)
    draw.text((90, 350), "TEAPOT LEFT UNATTENDED", fill=ink, font=_font(92, bold=True, serif=False))
    draw.text((90, 460), "spoon questioned, saucer released", fill=ink, font=_font(56))
    landscape = _landscape(rng, 760, 560)
    page.paste(Image.fromarray(np.uint8(_halftone(landscape) * 255)), (90, 560))
    _column(draw, (90, 1140, 850, 1200), 26, rng)
    for left in (880, 1310):
        _column(draw, (left, 570, left + 400, 1210), 30, rng)
    draw.line((80, 1236, width - 80, 1236), fill=ink, width=3)
    draw.text((90, 1256), "CROSSWORD", fill=ink, font=_font(64, bold=True, serif=False))
    cell, left, top = 62, 90, 1350
    blocks = rng.random((15, 15)) < 0.2
    blocks |= blocks[::-1, ::-1]
    number = 1
    pen = _font(44, serif=False)
    for i in range(15):
        for j in range(15):
            x, y = left + j * cell, top + i * cell
            draw.rectangle(
                (x, y, x + cell, y + cell), fill=ink if blocks[i, j] else (226, 221, 209), outline=ink, width=3
            )
            starts = not blocks[i, j] and ((i == 0 or blocks[i - 1, j]) or (j == 0 or blocks[i, j - 1]))
            if starts:
                draw.text((x + 5, y + 2), str(number), fill=ink, font=_font(17, serif=False))
                number += 1
            if not blocks[i, j] and i < 8 and rng.random() < 0.7:
                at = (x + 16 + rng.normal(0, 2), y + 10 + rng.normal(0, 2))
                draw.text(at, chr(65 + int(rng.integers(26))), fill=(38, 52, 130), font=pen)
    draw.text((1070, 1262), "Across", fill=ink, font=_font(44, bold=True))
    _column(draw, (1070, 1330, 1390, 2320), 27, rng)
    draw.text((1420, 1262), "Down", fill=ink, font=_font(44, bold=True))
    _column(draw, (1420, 1330, 1710, 2320), 27, rng)
    colour = _array(page)
    shape = (height, width)
    mottle = 1 + 0.02 * fractal(shape, (5, 5), rng, 2) + 0.025 * fractal(shape, (400, 400), rng, 3)
    fold = np.ones(shape, np.float32)
    fold[height // 2 - 3 : height // 2 + 3] = 0.88
    fold = np.asarray(cv2.GaussianBlur(fold, (0, 0), 3), np.float32)
    return np.clip(colour * (mottle * fold)[..., None], 0, 1).astype(np.float32)


def _landscape(rng: np.random.Generator, width: int, height: int) -> NDArray[np.float32]:
    """A grey hill-and-lake picture, ``(H, W) float32``."""
    y = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    picture = 0.95 - 0.25 * y + 0.10 * fractal((height, width), (60, 200), rng, 5)
    for k, tone in enumerate((0.62, 0.45, 0.26)):
        ridge = 0.35 + 0.16 * k + 0.06 * fractal((8, width), (400, 220), rng, 6)[:1]
        picture = np.where(y > ridge, tone + 0.06 * fractal((height, width), (14, 30), rng, 4), picture)
    return np.clip(picture, 0.02, 1).astype(np.float32)


def _halftone(grey: NDArray[np.float32]) -> Colour:
    height, width = grey.shape
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    a, b = (x + y) * 0.5, (x - y) * 0.5
    screen = 0.5 + 0.25 * (np.cos(a * 0.9) + np.cos(b * 0.9))
    inked = ramp(np.asarray(screen * 0.7 + 0.15 - grey, np.float32), -0.12, 0.12)
    return mix((0.85, 0.82, 0.76), (0.16, 0.16, 0.17), inked)


def tea_carton(rng: np.random.Generator) -> Colour:
    """Atlas of the carton's faces side by side: front, right, back, left (each 750 x 1050), then top (750 x 500).

    The picture is 3750 x 1050; the top's lower half is board.
    """
    atlas = Image.new("RGB", (3750, 1050), (203, 196, 178))
    for k in range(4):
        front = k % 2 == 0
        face = Image.new("RGB", (750, 1050), (190, 58, 36))
        draw = ImageDraw.Draw(face)
        if front:
            _front(draw, rng)
        else:
            _side(draw, rng, barcode=k == 1)
        atlas.paste(face, (750 * k, 0))
    top = Image.new("RGB", (750, 500), (190, 58, 36))
    draw = ImageDraw.Draw(top)
    draw.rectangle((30, 30, 720, 470), outline=(240, 214, 150), width=8)
    draw.text((375, 210), "ROOIBOS", fill=(246, 234, 205), font=_font(120, bold=True), anchor="mm")
    draw.text((375, 330), "press here to open", fill=(246, 234, 205), font=_font(44), anchor="mm")
    draw.arc((265, 360, 485, 560), 180, 360, fill=(240, 214, 150), width=6)
    atlas.paste(top, (3000, 0))
    colour = _array(atlas)
    # Handling rubs the print off the edges and prints never lie perfectly even.
    shape = (colour.shape[0], colour.shape[1])
    edge = np.ones(shape, np.float32)
    for x in range(0, 3751, 750):
        edge[:, max(0, x - 4) : x + 4] = 0
    edge[:4] = edge[-4:] = 0
    distance = cv2.distanceTransform((edge > 0).astype(np.uint8), cv2.DIST_L2, 5)
    worn = ramp(np.asarray(4 - distance + 3 * fractal(shape, (40, 40), rng, 4), np.float32), 0, 6)
    colour = mix(colour, (0.80, 0.74, 0.64), np.asarray(0.8 * worn, np.float32))
    return np.clip(colour * (1 + 0.02 * fractal(shape, (240, 240), rng, 4))[..., None], 0, 1).astype(np.float32)


def _front(draw: ImageDraw.ImageDraw, rng: np.random.Generator) -> None:
    cream, gold, dark = (246, 234, 205), (236, 190, 92), (92, 24, 20)
    draw.rectangle((0, 0, 750, 1050), fill=(196, 66, 40))
    for k in range(24):
        a = np.pi * k / 12
        p = [
            (375 + r * np.cos(a + d), 470 + r * np.sin(a + d))
            for r, d in ((230, -0.05), (760, -0.06), (760, 0.06), (230, 0.05))
        ]
        draw.polygon(p, fill=(212, 92, 48))
    draw.ellipse((125, 220, 625, 720), fill=cream, outline=gold, width=14)
    draw.ellipse((255, 280, 495, 520), fill=(238, 150, 62))
    for k, tone in enumerate(((122, 156, 122), (76, 120, 98), (40, 84, 78))):
        base = 500 + 50 * k
        ridge = [
            (140 + 12 * i, base + 42 * np.sin(i * (0.27 + 0.09 * k) + 2.2 * k) + rng.normal(0, 3)) for i in range(40)
        ]
        inside = [(x, y) for x, y in ridge if (x - 375) ** 2 + (y - 470) ** 2 < 234**2]
        if len(inside) > 2:
            arc = [
                (375 + 234 * np.cos(t), 470 + 234 * np.sin(t))
                for t in np.linspace(0.12 + 0.2 * k, np.pi - 0.12 - 0.2 * k, 40)
            ]
            draw.polygon([*inside, *arc], fill=tone)
    draw.rectangle((0, 60, 750, 190), fill=dark)
    draw.text((375, 126), "WINDMILL HILL", fill=cream, font=_font(72, bold=True), anchor="mm")
    draw.text((375, 800), "Rooibos", fill=cream, font=_font(130, bold=True), anchor="mm")
    draw.text((375, 895), "with orange peel & honey", fill=cream, font=_font(44), anchor="mm")
    draw.line((120, 940, 630, 940), fill=gold, width=5)
    draw.text((375, 985), "20 tea bags  ·  40 g", fill=gold, font=_font(40, serif=False), anchor="mm")


def _side(draw: ImageDraw.ImageDraw, rng: np.random.Generator, barcode: bool) -> None:
    cream = (246, 234, 205)
    draw.rectangle((60, 80, 690, 700), fill=cream)
    draw.text((100, 100), "How to brew", fill=(92, 24, 20), font=_font(62, bold=True))
    _column(draw, (100, 200, 650, 660), 36, rng, 70)
    if barcode:
        draw.rectangle((150, 760, 600, 990), fill=(250, 250, 246))
        x = 180
        while x < 570:
            step = int(rng.integers(3, 11))
            draw.rectangle((x, 780, x + step, 940), fill=(20, 20, 20))
            x += step + int(rng.integers(3, 12))
        draw.text((375, 965), "4 012345 678901", fill=(20, 20, 20), font=_font(34, serif=False), anchor="mm")
    else:
        for k in range(3):
            draw.ellipse((110 + 190 * k, 770, 260 + 190 * k, 920), outline=cream, width=10)
            draw.text(
                (185 + 190 * k, 845), ("98°", "5 min", "1x")[k], fill=cream, font=_font(42, serif=False), anchor="mm"
            )


def book_spines(rng: np.random.Generator, count: int = 24) -> Colour:
    """``count`` spines side by side, each 96 x 768, top of the book at row 0."""
    sheet = Image.new("RGB", (96 * count, 768))
    palette = [
        (150, 52, 42),
        (38, 62, 92),
        (214, 200, 170),
        (52, 84, 66),
        (188, 140, 62),
        (60, 56, 58),
        (116, 42, 66),
        (226, 222, 212),
        (84, 120, 140),
    ]
    for k in range(count):
        ground = palette[int(rng.integers(len(palette)))]
        light = sum(ground) < 330
        ink = (232, 222, 196) if light else (44, 38, 36)
        spine = Image.new("RGB", (768, 96), ground)
        draw = ImageDraw.Draw(spine)
        style = rng.integers(3)
        if style == 0:
            draw.rectangle((0, 0, 90, 96), fill=ink)
            draw.rectangle((700, 0, 720, 96), fill=ink)
        elif style == 1:
            for x in (40, 52, 640, 652):
                draw.line((x, 0, x, 96), fill=ink, width=5)
        title = " ".join(_word(rng).capitalize() for _ in range(2))
        draw.text(
            (384, 46),
            title,
            fill=ink,
            font=_font(int(rng.integers(40, 62)), bold=bool(rng.random() < 0.5)),
            anchor="mm",
        )
        sheet.paste(spine.rotate(-90, expand=True), (96 * k, 0))
    return _array(sheet)


def wall_print(rng: np.random.Generator) -> Colour:
    """A paper-cut print in a frame: leaves and a sun on blocks of colour."""
    picture = Image.new("RGB", (600, 840), (236, 228, 210))
    draw = ImageDraw.Draw(picture)
    blocks = [
        ((40, 40, 320, 400), (218, 120, 70)),
        ((320, 40, 560, 300), (52, 86, 110)),
        ((320, 300, 560, 800), (228, 184, 92)),
        ((40, 400, 320, 800), (70, 104, 84)),
    ]
    for box, tone in blocks:
        draw.rectangle(box, fill=tone)
    draw.ellipse((340, 70, 520, 250), fill=(236, 160, 70))
    for _ in range(7):
        x, y, a = rng.uniform(90, 510), rng.uniform(300, 740), rng.uniform(0, np.pi)
        for k in range(-4, 5):
            tip = (
                x + 26 * k * np.cos(a) - 60 * np.sin(a) * (1 if k % 2 else -1),
                y + 26 * k * np.sin(a) + 60 * np.cos(a) * (1 if k % 2 else -1),
            )
            draw.line((x + 26 * k * np.cos(a), y + 26 * k * np.sin(a), *tip), fill=(238, 232, 218), width=20)
        draw.line(
            (x - 104 * np.cos(a), y - 104 * np.sin(a), x + 104 * np.cos(a), y + 104 * np.sin(a)),
            fill=(238, 232, 218),
            width=16,
        )
    return _array(picture)
