"""The configuration: a YAML file, the environment and the command line as frozen values."""

from musefs.config.loading import load
from musefs.config.origin_settings import (
    AnyOrigin,
    LocalOrigin,
    OriginSettings,
    S3Origin,
    SftpOrigin,
)
from musefs.config.quickstart import from_sources, is_config
from musefs.config.secret import Secret
from musefs.config.settings import (
    DEFAULT_TEMPLATE,
    Cache,
    Config,
    Control,
    Federation,
    Log,
    Mount,
    Tree,
)

__all__ = [
    "DEFAULT_TEMPLATE",
    "AnyOrigin",
    "Cache",
    "Config",
    "Control",
    "Federation",
    "LocalOrigin",
    "Log",
    "Mount",
    "OriginSettings",
    "S3Origin",
    "Secret",
    "SftpOrigin",
    "Tree",
    "from_sources",
    "is_config",
    "load",
]
