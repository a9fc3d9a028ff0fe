"""The composition root: builds all parts, owns every lifetime, and runs them."""

from musefs.app.offline import check, preview, scan
from musefs.app.service import App
from musefs.app.serving import serve

__all__ = ["App", "check", "preview", "scan", "serve"]
