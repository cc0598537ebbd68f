"""The system's own answer about the way to a server, where the system reads configuration scripts (PAC): Windows and macOS.

Qt asks WinHttpGetProxyForUrl and CFNetwork; no script is run in here. Elsewhere there is nobody to ask, and scripts are not read.
"""

import sys
from collections.abc import Callable, Iterable
from typing import Final

from PySide6.QtCore import QUrl
from PySide6.QtNetwork import QNetworkProxy, QNetworkProxyFactory, QNetworkProxyQuery

READS_SCRIPTS: Final = sys.platform in ("win32", "darwin")
_SCHEMES: Final = {
    QNetworkProxy.ProxyType.HttpProxy: "http",
    QNetworkProxy.ProxyType.HttpCachingProxy: "http",
    QNetworkProxy.ProxyType.Socks5Proxy: "socks5",
}


def system_proxy(
    host: str,
    port: int,
    ask: Callable[[QNetworkProxyQuery], Iterable[QNetworkProxy]] = QNetworkProxyFactory.systemProxyForQuery,
) -> str | None:
    """The address of the proxy to take, `http://…` or `socks5://…`; None: the straight way. May take seconds: a script may have to be fetched.

    The system's first answer that we can use counts; "straight" counts where it stands.
    """
    named = f"[{host}]" if ":" in host else host
    for one in ask(QNetworkProxyQuery(QUrl(f"https://{named}:{port}/"))):
        if one.type() is QNetworkProxy.ProxyType.NoProxy:
            return None
        scheme = _SCHEMES.get(one.type())
        if scheme and one.hostName():
            at = f"[{one.hostName()}]" if ":" in one.hostName() else one.hostName()
            return f"{scheme}://{at}:{one.port()}"
    return None
