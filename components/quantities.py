"""Quantities as Kubernetes itself writes them: the API server rewrites any other form, which would show as a change."""


def cpu(millicores: int) -> str:
    """Processor time: 500 is `500m`, 2000 is `2`."""
    return _largest(millicores, 1000, ("m", "", "k", "M"))


def memory(mib: int) -> str:
    """Memory or storage: 1536 is `1536Mi`, 2048 is `2Gi`."""
    return _largest(mib, 1024, ("Mi", "Gi", "Ti", "Pi"))


def count(number: int) -> str:
    """A number of things: 20 is `20`, 1000 is `1k`."""
    return _largest(number, 1000, ("", "k", "M", "G"))


def _largest(number: int, base: int, suffixes: tuple[str, ...]) -> str:
    """The number with the largest suffix of which it is a whole multiple."""
    if not number:
        return "0"
    for suffix in suffixes[:-1]:
        if number % base:
            return f"{number}{suffix}"
        number //= base
    return f"{number}{suffixes[-1]}"
