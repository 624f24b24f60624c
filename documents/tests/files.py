"""Files as people have them, files as attackers make them, and forms around them."""

import io
import zipfile
import zlib

from django.conf import settings
from PIL import Image

from config.testing import data_of, make_customer

BOUNDARY = "----WebKitFormBoundary7MA4YWxkTrZu0gW"
MULTIPART = f"multipart/form-data; boundary={BOUNDARY}"
DOCX_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CALLED = {"pdf": "application/pdf", "jpg": "image/jpeg", "png": "image/png", "webp": "image/webp"}
CALLED |= {"docx": DOCX_TYPE, "xlsx": XLSX_TYPE}


# --- Forms ------------------------------------------------------------------------------------------


def part(name, content, *, file_name=None, content_type=None):
    """One part of a form as a browser writes it."""
    disposition = f'form-data; name="{name}"' + (f'; filename="{file_name}"' if file_name is not None else "")
    head = f"--{BOUNDARY}\r\nContent-Disposition: {disposition}\r\n"
    head += f"Content-Type: {content_type}\r\n" if content_type else ""
    content = content.encode() if isinstance(content, str) else content
    return head.encode() + b"\r\n" + content + b"\r\n"


def body_of(*parts):
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


def form(content, file_name, content_type=None, **texts):
    """A form with one file and texts, each a text or a list of them."""
    ending = file_name.rpartition(".")[2]
    parts = [part("file", content, file_name=file_name, content_type=content_type or CALLED.get(ending))]
    for name, values in texts.items():
        parts += [part(name, value) for value in (values if isinstance(values, list) else [values])]
    return body_of(*parts)


def send(client, customer, body, content_type=MULTIPART, **options):
    """The answer to a form."""
    path = f"/api/v1/customers/{customer.pk}/documents"
    return client.generic("POST", path, body, content_type=content_type, **options)


def upload(client, customer, content=None, file_name="عقد البيع.pdf", headers=None, **texts):
    """The answer to a form with one file."""
    return send(client, customer, form(pdf() if content is None else content, file_name, **texts), headers=headers)


def make_document(client, employee, **texts):
    """A document of a new customer of this employee, through the API, as the API shows it."""
    return data_of(upload(client, make_customer(employee), **texts), 201)["document"]


def stored():
    """The files in the storage folder, by key."""
    return {
        str(path.relative_to(settings.DOCUMENT_FOLDER)): path.read_bytes()
        for path in settings.DOCUMENT_FOLDER.rglob("*")
        if path.is_file()
    }


# --- Files ------------------------------------------------------------------------------------------


def pdf(*objects, size=0):
    """A PDF with these objects beside its page, filled up to a size."""
    whole = b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n"
    whole += b"2 0 obj\n<< /Type /Pages /Kids [3 0 R] /Count 1 >>\nendobj\n"
    whole += b"3 0 obj\n<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] >>\nendobj\n"
    for number, content in enumerate(objects, 4):
        whole += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    end = b"trailer << /Root 1 0 R >>\n%%EOF\n"
    return whole + b"%" + b"x" * (size - len(whole) - len(end) - 2) + b"\n" + end if size else whole + end


def object_stream(content, dictionary=b"/Filter /FlateDecode", compress=zlib.compress):
    return b"<< /Type /ObjStm /N 1 /First 4 %s >>\nstream\n%s\nendstream" % (dictionary, compress(content))


def picture(kind="JPEG", size=(40, 20), mode="RGB", **options):
    file = io.BytesIO()
    Image.new(mode, size, "red").save(file, kind, **options)
    return file.getvalue()


def photo_with_a_place():
    """A photo taken upright by a phone lying on its side, with where it was taken and a comment."""
    image = Image.new("RGB", (40, 20), "red")
    image.paste("blue", (0, 0, 20, 20))
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "KanaryPhone"
    exif.get_ifd(0x8825)[1] = "N"
    exif.get_ifd(0x8825)[2] = (24.0, 42.0, 49.0)
    file = io.BytesIO()
    image.save(file, "JPEG", exif=exif, comment=b"Kanary comment", quality=95)
    return file.getvalue()


def office(kind, *more, types=None, method=zipfile.ZIP_DEFLATED, main=True):
    """A Word or Excel file with more parts `(name, content)`."""
    types = types or f'<Types><Override ContentType="{CALLED[kind]}.main+xml"/></Types>'
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        archive.writestr("[Content_Types].xml", types)
        if main:
            archive.writestr({"docx": "word/document.xml", "xlsx": "xl/workbook.xml"}[kind], "<x/>")
        for name, content in more:
            archive.writestr(name, content)
    return file.getvalue()
