"""The API's contract, said once: envelope, errors, parsing, paging, limits, ETag, language, schema."""
