"""Setia keeps customers: know, predict, decide, act, prove.

`import setia; shop = setia.open("my-shop")` opens a workspace. What is not documented in docs/reference is private.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from setia.app import Shop, init
    from setia.kernel.errors import SetiaError
    from setia.settings import ShopSettings

__version__ = "0.1.0"
__all__ = ["SetiaError", "Shop", "ShopSettings", "__version__", "init", "open"]


def open(folder: str, **options: Any) -> Shop:
    """The shop of a workspace folder; see `Shop.open`. Raises NotAWorkspace, BadSettings, StoreUnreachable."""
    from setia.app import Shop

    return Shop.open(folder, **options)


def __getattr__(name: str) -> Any:
    """The rest of the public names, imported when first asked for."""
    if name in ("Shop", "init"):
        from setia import app

        return getattr(app, name)
    if name == "SetiaError":
        from setia.kernel.errors import SetiaError

        return SetiaError
    if name == "ShopSettings":
        from setia.settings import ShopSettings

        return ShopSettings
    raise AttributeError(name)
