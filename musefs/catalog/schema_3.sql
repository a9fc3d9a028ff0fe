-- Version 3: which folders of an origin have sidecars.

CREATE INDEX files_sidecars ON files (origin, folder) WHERE kind = 'sidecar';
