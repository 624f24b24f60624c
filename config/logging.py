"""Log lines as JSON, with the request and the employee they belong to and nothing personal."""

import json
import logging
import traceback
from contextvars import ContextVar
from datetime import UTC, datetime

request_id = ContextVar("request_id", default="")
employee_id = ContextVar("employee_id", default="")
# Through which door changes come, for the audit: "api", "admin", "command", "task" or "import".
door = ContextVar("door", default="")


class RequestContext(logging.Filter):
    """Adds the current request and employee to every record."""

    def filter(self, record):
        record.request_id = request_id.get()
        record.employee_id = employee_id.get()
        return True


class JSONFormatter(logging.Formatter):
    """One JSON object per line.

    Of an exception only its type and its place are written: messages of the database
    and of parsers quote the data they stumbled over.
    """

    def format(self, record):
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if getattr(record, "request_id", ""):
            line["requestId"] = record.request_id
        if getattr(record, "employee_id", ""):
            line["employeeId"] = record.employee_id
        line |= getattr(record, "facts", {})
        if record.exc_info and record.exc_info[0]:
            line["exception"] = record.exc_info[0].__qualname__
            line["trace"] = [
                f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(record.exc_info[2])
            ]
        return json.dumps(line, ensure_ascii=False)
