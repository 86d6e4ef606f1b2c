"""SHA-256 without hashlib, which would load OpenSSL: 4 MB in every container for one hash."""

try:
    from _sha2 import sha256  # type: ignore[import-not-found]
except ImportError:  # Python 3.11
    from _sha256 import sha256  # type: ignore[import-not-found]

__all__ = ["sha256"]
