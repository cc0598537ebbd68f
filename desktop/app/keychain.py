"""Which keychain keeps this device's secrets: the system's, else a file under a passphrase that the user is asked for."""

import asyncio
import logging
import os
from pathlib import Path

from PySide6.QtWidgets import QWidget

from desktop.app.bridge import Bridge
from desktop.core.crypto.keychain import Keychain, PassphraseKeychain, system_keychain
from desktop.core.errors import UserCancelled, WrongStoreKey
from desktop.ui.i18n import tr
from desktop.ui.kit import Dialog, Label, PasswordField, finished

log = logging.getLogger("tongban.keychain")

LOOK_LIMIT_S = 5.0
VARIABLE = "TONGBAN_KEYCHAIN_PASSPHRASE"  # for machines without a person in front of them
FILE_NAME = "keychain.sealed"
LEAST_LENGTH = 6


async def find_keychain(data_dir: Path) -> Keychain | None:
    """The keychain of this device; None when the user must be asked for a passphrase. Runs on the core's thread."""
    path = data_dir / FILE_NAME
    passphrase = os.environ.get(VARIABLE)
    if passphrase is not None:
        return PassphraseKeychain(path, passphrase)
    if path.exists():
        return None
    try:
        async with asyncio.timeout(LOOK_LIMIT_S):
            return await asyncio.to_thread(system_keychain)  # the session bus may block
    except TimeoutError:
        log.warning("the system's keychain does not answer")
        return None


async def ask_for_keychain(bridge: Bridge, data_dir: Path, parent: QWidget | None = None) -> Keychain:
    """The keychain under a passphrase that the user types. Runs on the UI thread.

    Raises:
        UserCancelled: the user gave no passphrase.
    """
    path = data_dir / FILE_NAME
    new = not path.exists()
    dialog = Dialog(parent, "keychain.title", width=380)
    dialog.body.addWidget(Label(key="keychain.title", role="header", strong=True))
    dialog.body.addWidget(Label(key="keychain.why_new" if new else "keychain.why", tone="ink2", wrap=True))
    field = PasswordField(key="keychain.passphrase", large=True)
    problem = Label(role="secondary", tone="red_text", wrap=True)
    dialog.body.addWidget(field)
    dialog.body.addWidget(problem)
    dialog.add_button("common.cancel", accept=False)
    dialog.add_button("common.ok", kind="primary", accept=True)
    try:
        while True:
            field.setFocus()
            if not await finished(dialog):
                raise UserCancelled
            passphrase = field.text()
            if new and len(passphrase) < LEAST_LENGTH:
                problem.setText(tr("keychain.too_short", n=LEAST_LENGTH))
                continue
            keychain = PassphraseKeychain(path, passphrase)
            try:
                await bridge.call(asyncio.to_thread(keychain.load, "probe"))
            except WrongStoreKey:
                problem.setText(tr("keychain.wrong"))
                field.clear()
                continue
            return keychain
    finally:
        dialog.deleteLater()
