"""A Dask cluster that exists already, as a platform team would run one."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dask
from distributed import LocalCluster, Security


@contextlib.contextmanager
def _certificates(folder: Path) -> Iterator[dict[str, str]]:
    """Files as a platform would mount them; one key is the authority, the scheduler and the client here."""
    keys = Security.temporary()
    (folder / "cert.pem").write_text(keys.tls_client_cert)
    (folder / "key.pem").write_text(keys.tls_client_key)
    (folder / "key.pem").chmod(0o600)
    yield {
        name: str(folder / file)
        for name, file in (("ca_file", "cert.pem"), ("cert_file", "cert.pem"), ("key_file", "key.pem"))
    }


@contextlib.contextmanager
def existing_cluster(folder: Path, *, tls: bool) -> Iterator[dict[str, Any]]:
    """A cluster that somebody else runs, whose workers cannot import the flow's file."""
    with contextlib.ExitStack() as stack:
        files = stack.enter_context(_certificates(folder)) if tls else None
        security = Security(
            tls_ca_file=files["ca_file"],
            tls_client_cert=files["cert_file"], tls_client_key=files["key_file"],
            tls_scheduler_cert=files["cert_file"], tls_scheduler_key=files["key_file"],
            tls_worker_cert=files["cert_file"], tls_worker_key=files["key_file"],
            require_encryption=True,
        ) if files else None  # fmt: skip
        stack.enter_context(dask.config.set({"temporary-directory": str(folder)}))
        cluster = stack.enter_context(
            LocalCluster(
                n_workers=2,
                threads_per_worker=1,
                host="127.0.0.1",
                dashboard_address="127.0.0.1:0",
                protocol="tls://" if tls else "tcp://",
                security=security,
                local_directory=str(folder),
                silence_logs=50,
            )
        )
        yield {"type": "dask", "address": cluster.scheduler_address, "tls": files, "performance_report": False}
