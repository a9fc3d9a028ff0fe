"""A bucket of an S3-compatible server as an origin.

A file's version is its ETag: a listing shows no VersionId, so that cannot be part of it. Every
ranged GET carries If-Match, and the ETag of the answer is compared as well, for some servers ignore
the header. A listing has milliseconds and a HEAD only seconds, so mtimes are cut to seconds.

A connection that was idle sends little in its first round trips. So reads that find all of them
idle are shared among them, and come in about half of the time; later requests get the connections
that were used last (s3_connections).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import AsyncExitStack, aclosing, contextmanager
from datetime import datetime
from typing import Any

from aiobotocore.config import AioConfig
from aiobotocore.session import AioSession, get_session
from aiohttp import ClientError as HttpError
from botocore import exceptions as boto
from botocore.parsers import ResponseParserError

from origins.base import FileInfo, Version
from origins.errors import AccessDenied, FileChanged, FileMissing, OriginUnavailable
from origins.polling import poll
from origins.s3_connections import LastUsedFirst
from origins.s3_errors import meaning_of
from origins.s3_ranges import Parts, extent, split
from origins.specs import S3Spec

_NO_CREDENTIALS = (
    boto.NoCredentialsError,
    boto.PartialCredentialsError,
    boto.CredentialRetrievalError,
    boto.ProfileNotFound,
    boto.TokenRetrievalError,
    boto.SSOError,
)
_UNREACHABLE = (
    boto.ConnectionError,
    boto.HTTPClientError,
    boto.IncompleteReadError,
    ResponseParserError,
)
PIECE_BYTES = 256 << 10
RANGE_NOT_SATISFIABLE = 416


class S3Origin:
    """The keys below a prefix of a bucket. See Origin for the methods."""

    def __init__(self, spec: S3Spec) -> None:
        self._spec = spec
        self._prefix = spec.prefix
        if self._prefix and not self._prefix.endswith("/"):
            self._prefix += "/"
        self._where = f"{spec.id}: bucket {spec.bucket!r} at {spec.endpoint or 'AWS'}"
        self._connecting = asyncio.Lock()
        self._open = AsyncExitStack()
        self._connected: Any = None
        self._under_way = self._entered = 0
        self._closed = False

    def __repr__(self) -> str:
        return f"<S3Origin {self._where}, prefix {self._prefix!r}>"

    @property
    def id(self) -> str:
        """The name that the configuration gives it."""
        return self._spec.id

    async def list(self, below: str = "") -> AsyncGenerator[FileInfo, None]:
        """Every file below a folder. See Origin.list."""
        prefix = self._prefix + below + "/" if below else self._prefix
        found = False
        with self._translating(below):
            client = await self._client()
            pages = client.get_paginator("list_objects_v2").paginate(
                Bucket=self._spec.bucket, Prefix=prefix
            )
            async for page in pages:
                for entry in page.get("Contents", ()):
                    found = True
                    if not entry["Key"].endswith("/"):
                        path = entry["Key"].removeprefix(self._prefix)
                        yield _info(path, entry["Size"], entry["LastModified"], entry["ETag"])
        if below and not found:
            raise FileMissing(f"{self._what(below)}: there is no such folder")

    async def stat(self, path: str) -> FileInfo:
        """One file. See Origin.stat."""
        _check_path(path)
        client = await self._client()
        try:
            with self._translating(path):
                head = await client.head_object(Bucket=self._spec.bucket, Key=self._prefix + path)
        except FileMissing:
            with self._translating(""):  # a HEAD does not tell that it is the bucket that is gone
                await client.list_objects_v2(Bucket=self._spec.bucket, MaxKeys=1)
            raise
        return _info(path, head["ContentLength"], head["LastModified"], head["ETag"])

    async def read(self, path: str, version: Version, offset: int, size: int) -> bytes:
        """Bytes of one version. See Origin.read."""
        _check_path(path)
        if size <= 0:
            return b""
        parts = await self._parts(offset, size)
        self._under_way += len(parts)
        try:
            answers = await asyncio.gather(
                *(self._get(path, version, start, length) for start, length in parts),
                return_exceptions=True,
            )
        finally:
            self._under_way -= len(parts)
        got = [_result(answer) for answer in answers]
        if got[0] is not None:
            # What lies behind the end of the file is refused, which is no bytes.
            return got[0] if len(got) == 1 else b"".join(part or b"" for part in got)
        # Refused as behind the end (416), which says nothing about the version.
        info = await self.stat(path)
        if info.version != version or offset < info.size:
            raise self._changed(path)
        return b""

    async def _parts(self, offset: int, size: int) -> Parts:
        """The requests of a read: those that find the origin idle share all its connections."""
        was_idle = not self._under_way
        self._entered += 1
        try:
            await asyncio.sleep(0)  # who reads ahead as well comes at the same time
            idle = self._spec.limits.requests_max - self._under_way if was_idle else 0
            return split(offset, size, idle, self._entered)
        finally:
            self._entered -= 1

    async def watch(self) -> AsyncIterator[frozenset[str]]:
        """Polling: S3 does not tell changes. See Origin.watch."""
        async with aclosing(poll(self._spec.limits.poll_s)) as batches:
            async for batch in batches:
                yield batch

    async def check(self) -> None:
        """Return when the bucket can be listed. See Origin.check."""
        with self._translating(""):
            client = await self._client()
            await client.list_objects_v2(Bucket=self._spec.bucket, Prefix=self._prefix, MaxKeys=1)

    async def aclose(self) -> None:
        """Close the client and its connections. See Origin.aclose."""
        async with self._connecting:
            self._closed = True
            self._connected = None
            await self._open.aclose()

    async def _client(self) -> Any:
        """The client, made at the first call."""
        if self._connected is None:
            async with self._connecting:
                if self._closed:
                    raise OriginUnavailable(f"{self.id}: is closed")
                if self._connected is None:
                    with self._translating(""):
                        self._connected = await self._connect(get_session())
        return self._connected

    async def _connect(self, session: AioSession) -> Any:
        # Reads some 1.5 MB of descriptions from the disk, which are kept: not in the event loop.
        loader = session.get_component("data_loader")
        await asyncio.to_thread(loader.load_service_model, "s3", "service-2")
        await asyncio.to_thread(loader.load_service_model, "s3", "endpoint-rule-set-1")
        spec = self._spec
        return await self._open.enter_async_context(
            session.create_client(
                "s3",
                region_name=spec.region or ("us-east-1" if spec.endpoint else None),
                endpoint_url=spec.endpoint,
                aws_access_key_id=spec.access_key,
                aws_secret_access_key=spec.secret_key,
                config=AioConfig(
                    http_session_cls=LastUsedFirst,
                    user_agent="musefs",
                    connect_timeout=spec.limits.connect_timeout_s,
                    read_timeout=spec.limits.timeout_s,
                    max_pool_connections=spec.limits.requests_max,
                    retries={"total_max_attempts": 1},
                    s3={"addressing_style": "path" if spec.endpoint else "auto"},
                    request_checksum_calculation="when_required",
                    response_checksum_validation="when_required",
                ),
            )
        )

    async def _get(self, path: str, version: Version, offset: int, size: int) -> bytes | None:
        """The bytes, or None when the range lies behind the end."""
        client = await self._client()
        with self._translating(path):
            try:
                answer = await client.get_object(
                    Bucket=self._spec.bucket,
                    Key=self._prefix + path,
                    Range=f"bytes={offset}-{offset + size - 1}",
                    IfMatch=f'"{version}"',
                )
            except boto.ClientError as error:
                if _status(error) == RANGE_NOT_SATISFIABLE:
                    return None
                raise
            async with answer["Body"] as body:
                if _version(answer["ETag"]) != version:
                    raise self._changed(path)
                start, total = extent(answer["ContentLength"], answer.get("ContentRange"))
                wanted = max(0, min(size, total - offset))
                data = await _take(body, offset - start, wanted)
        if start > offset or len(data) < wanted:
            raise OriginUnavailable(f"{self._what(path)}: the answer broke off: try again")
        return data

    @contextmanager
    def _translating(self, path: str) -> Iterator[None]:
        """Turn what botocore and aiohttp raise into OriginErrors; "" is the bucket."""
        what = self._what(path)
        try:
            yield
        except boto.ClientError as error:
            code = error.response.get("Error", {}).get("Code", "")
            raise meaning_of(str(code), _status(error), what) from error
        except _NO_CREDENTIALS as error:
            raise AccessDenied(
                f"{what}: no credentials: set access_key and secret_key, or AWS_ACCESS_KEY_ID and "
                "AWS_SECRET_ACCESS_KEY, or a profile in ~/.aws"
            ) from error
        except boto.SSLError as error:
            raise AccessDenied(f"{what}: its TLS certificate is refused: check endpoint") from error
        except (*_UNREACHABLE, HttpError, OSError) as error:
            raise OriginUnavailable(
                f"{what}: no connection ({type(error).__name__}): check endpoint and network"
            ) from error
        except (boto.BotoCoreError, ValueError) as error:
            reason = " ".join(str(error).split())
            raise AccessDenied(f"{what}: {reason}: correct the configuration") from error

    def _changed(self, path: str) -> FileChanged:
        return FileChanged(f"{self._what(path)}: has changed since it was indexed: rescan")

    def _what(self, path: str) -> str:
        return f"{self._where}, key {self._prefix + path!r}" if path else self._where


def _result(answer: bytes | BaseException | None) -> bytes | None:
    if isinstance(answer, BaseException):
        raise answer
    return answer


def _check_path(path: str) -> None:
    if not path or path.endswith("/"):
        raise FileMissing(f"{path!r} is not a file's path")


def _version(etag: str) -> Version:
    return Version(etag.removeprefix("W/").strip('"'))


def _info(path: str, size: int, modified: datetime, etag: str) -> FileInfo:
    return FileInfo(path, size, int(modified.timestamp()) * 1_000_000_000, _version(etag))


def _status(error: Any) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


async def _take(body: Any, skip: int, count: int) -> bytes:
    """Bytes [skip, skip + count) of a body, fewer when it ends early."""
    parts: list[bytes] = []
    while count > 0 and (part := await body.read(PIECE_BYTES)):
        kept = part[skip : skip + count]
        skip = max(0, skip - len(part))
        count -= len(kept)
        parts.append(kept)
    return b"".join(parts)
