"""What the federation tells of its origins, as values."""

from __future__ import annotations

from dataclasses import dataclass

from musefs.federation.health import HealthState


@dataclass(frozen=True, slots=True)
class HealthChanged:
    """An origin's own state changed."""

    origin_id: str
    before: HealthState
    after: HealthState


@dataclass(frozen=True, slots=True)
class AllOriginsUnhealthy:
    """No origin does well any more (`began`), or one does again."""

    began: bool


@dataclass(frozen=True, slots=True)
class ReplicaFailed:
    """A file could not be read from an origin. Told once in a while for each file."""

    origin_id: str
    path: str
    reason: str


FederationEvent = HealthChanged | AllOriginsUnhealthy | ReplicaFailed
