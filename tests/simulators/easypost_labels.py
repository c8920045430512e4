"""Small, real label files: a PDF, a PNG and a ZPL page that say which shipment they belong to."""

from __future__ import annotations

import io

from PIL import Image, ImageDraw

MEDIA_TYPES = {"PDF": "application/pdf", "PNG": "image/png", "ZPL": "application/zpl", "EPL2": "application/epl2"}


def label(file_format: str, text: str) -> bytes:
    """The bytes of one label in that format (PDF, PNG, ZPL, EPL2)."""
    match file_format:
        case "PDF":
            return _pdf(text)
        case "PNG":
            return _png(text)
        case "ZPL":
            return f"^XA\n^FO50,50^A0N,40,40^FD{text}^FS\n^XZ\n".encode()
        case _:
            return f'\nN\nA50,50,0,4,1,1,N,"{text}"\nP1\n'.encode()


def _pdf(text: str) -> bytes:
    content = f"BT /F1 14 Tf 20 400 Td ({text}) Tj ET".encode()
    parts = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 288 432] /Contents 4 0 R /Resources 6 0 R >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        b"<< /Font << /F1 5 0 R >> >>",
    ]
    out = bytearray(b"%PDF-1.4\n")
    offsets = []
    for number, part in enumerate(parts, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, part)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(parts) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    out += b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(parts) + 1, start)
    return bytes(out)


def _png(text: str) -> bytes:
    image = Image.new("1", (400, 600), 1)
    ImageDraw.Draw(image).text((20, 20), text, fill=0)
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()
