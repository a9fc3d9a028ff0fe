"""What an S3 server's refusals mean to the caller. Pure.

Error codes: Amazon S3 API Reference, "Error responses". A HEAD has no body, so its code is the
HTTP status.
"""

from __future__ import annotations

from origins.errors import AccessDenied, FileChanged, FileMissing, OriginError, OriginUnavailable

_CHANGED = frozenset({"PreconditionFailed", "412"})
_MISSING = frozenset({"NoSuchKey", "NoSuchVersion", "404", "NotFound"})
_MAY_PASS = frozenset({"SlowDown", "Throttling", "RequestTimeout", "RequestLimitExceeded"})
_ADVICE = {
    "InvalidAccessKeyId": "the server does not know the access key: check access_key",
    "SignatureDoesNotMatch": "the signature is refused: check secret_key",
    "ExpiredToken": "the session token has expired: log in again",
    "InvalidToken": "the session token is refused: log in again",
    "RequestTimeTooSkewed": "the clocks differ too much: set this machine's clock",
    "PermanentRedirect": "the bucket is in another region: set region or endpoint",
    "AuthorizationHeaderMalformed": "the region is wrong: set region",
    "IllegalLocationConstraintException": "the region is wrong: set region",
}


def meaning_of(code: str, status: int, what: str) -> OriginError:
    """The error for an S3 error code and its HTTP status about `what`, which holds no secret."""
    if code in _MAY_PASS or status >= 500 or status in (408, 429):
        return OriginUnavailable(f"{what}: the server is overloaded or failing ({code}): try later")
    if code == "NoSuchBucket":
        return AccessDenied(f"{what}: the bucket does not exist there: check bucket and endpoint")
    if code in _CHANGED or status == 412:
        return FileChanged(f"{what}: has changed since it was indexed: rescan")
    if code in _MISSING or status == 404:
        return FileMissing(f"{what}: there is no such file")
    advice = _ADVICE.get(code, "access is refused: check keys, permissions and region")
    return AccessDenied(f"{what}: {advice} ({code})")
