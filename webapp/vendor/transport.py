"""The HTTP session under the vendor's client: its pools, its retries (none) and whom it trusts."""

import ssl
from pathlib import Path
from typing import Any

import requests
import urllib3
from requests.adapters import DEFAULT_CA_BUNDLE_PATH, HTTPAdapter
from urllib3.util.ssl_ import create_urllib3_context

from webapp.vendor.wire import POOLS


class _Adapter(HTTPAdapter):
    """Pools of our connections, all under one TLS context: to read the trusted certificates takes 17 ms."""

    def __init__(self, context: ssl.SSLContext | None) -> None:
        self._context = context
        never = urllib3.Retry(0, read=False, redirect=False, respect_retry_after_header=False)
        super().__init__(pool_connections=2, pool_maxsize=32, max_retries=never)

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, ssl_context=self._context, **options)
        self.poolmanager.pool_classes_by_scheme = POOLS

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        context = self._context
        manager = super().proxy_manager_for(proxy, ssl_context=context, proxy_ssl_context=context, **options)
        manager.pool_classes_by_scheme = POOLS
        return manager

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Always: the context already holds the certificates to trust."""
        conn.cert_reqs = "CERT_REQUIRED"


def open_session(*, tls: bool, ca_bundle: str | None) -> requests.Session:
    """A session that heeds no environment variable. Raises ValueError if the certificates cannot be read."""
    adapter = _Adapter(_trusting(ca_bundle or DEFAULT_CA_BUNDLE_PATH) if tls else None)
    session = requests.Session()
    session.trust_env = False
    session.adapters.clear()
    session.mount("https://" if tls else "http://", adapter)
    return session


def _trusting(bundle: str) -> ssl.SSLContext:
    context = create_urllib3_context(cert_reqs=ssl.CERT_REQUIRED)
    is_folder = Path(bundle).is_dir()
    try:
        context.load_verify_locations(**({"capath": bundle} if is_folder else {"cafile": bundle}))
    except OSError as failure:
        raise ValueError("the CA bundle cannot be read as certificates") from failure
    return context
