-- Version 3: which folders of an origin have sidecars.

CREATE INDEX files_sidecars ON files (origin, folder) WHERE kind = 'sidecar';

-- A variant has the size and the ends of another content and not its middle: the fingerprint of
-- those ends, while `fingerprint` is its own.
ALTER TABLE contents ADD COLUMN variant_of BLOB;
CREATE INDEX contents_variants ON contents (variant_of) WHERE variant_of IS NOT NULL;

-- The track from which this one split off, when one of its replicas got other bytes before the
-- others did.
ALTER TABLE tracks ADD COLUMN split_from INTEGER;
