"""Authenticode: signs program, installer and uninstaller, checks signatures. `python -m build_scripts.package.windows.signing FILE`.

Which certificate: the environment says, so that no secret stands in a file or on a command line that others can read.
- TONGBAN_SIGN_COMMAND: a command line with {file} in it, for a certificate in a token, a cloud service or signtool; signs in place.
- TONGBAN_SIGN_CERT and TONGBAN_SIGN_KEY: certificate chain and key as PEM files (or TONGBAN_SIGN_PKCS12), for osslsigncode;
  TONGBAN_SIGN_PASSWORD_FILE: a file with the key's password; TONGBAN_SIGN_TIMESTAMP: URL of an RFC 3161 service.
With none of them nothing is signed, and it is said. Standard library only.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from build_scripts.progress import StepFailed

COMMAND = "TONGBAN_SIGN_COMMAND"
CERT, KEY, PKCS12 = "TONGBAN_SIGN_CERT", "TONGBAN_SIGN_KEY", "TONGBAN_SIGN_PKCS12"
PASSWORD_FILE, TIMESTAMP = "TONGBAN_SIGN_PASSWORD_FILE", "TONGBAN_SIGN_TIMESTAMP"
PRODUCT = "Tongban"


def is_configured(environ: Mapping[str, str] | None = None) -> bool:
    """Whether a certificate or a command is named."""
    environ = os.environ if environ is None else environ
    return bool(environ.get(COMMAND) or environ.get(PKCS12) or (environ.get(CERT) and environ.get(KEY)))


def sign_command(file: Path, result: Path, environ: Mapping[str, str]) -> list[str]:
    """The command that signs `file`; osslsigncode writes `result`, a command of one's own signs in place.

    Raises:
        StepFailed: nothing is configured.
    """
    own = environ.get(COMMAND)
    if own:
        return [word.replace("{file}", str(file)) for word in shlex.split(own, posix=sys.platform != "win32")]
    words = ["osslsigncode", "sign", "-h", "sha256", "-n", PRODUCT]
    if environ.get(PKCS12):
        words += ["-pkcs12", environ[PKCS12]]
    elif environ.get(CERT) and environ.get(KEY):
        words += ["-certs", environ[CERT], "-key", environ[KEY]]
    else:
        raise StepFailed(f"No certificate to sign with: set {COMMAND}, {PKCS12}, or {CERT} and {KEY}.")
    if environ.get(PASSWORD_FILE):
        words += ["-readpass", environ[PASSWORD_FILE]]
    if environ.get(TIMESTAMP):
        words += ["-ts", environ[TIMESTAMP]]
    return [*words, "-in", str(file), "-out", str(result)]


def sign(file: Path, environ: Mapping[str, str] | None = None) -> None:
    """Signs a file in place; it is whole and unsigned when that fails.

    Raises:
        StepFailed: nothing is configured, or the tool failed.
    """
    environ = os.environ if environ is None else environ
    result = file.with_name(file.name + ".signed")
    result.unlink(missing_ok=True)
    done = _run(sign_command(file, result, environ))
    if done.returncode:
        result.unlink(missing_ok=True)
        raise StepFailed(f"{file.name} could not be signed:\n{_said(done)}")
    if result.exists():
        shutil.copymode(file, result)
        result.replace(file)


def verify(file: Path, authority: Path) -> None:
    """Checks the signature against a CA certificate (PEM) with osslsigncode.

    Raises:
        StepFailed: there is none, it does not match the file, or `authority` does not stand behind it.
    """
    done = _run(["osslsigncode", "verify", "-CAfile", str(authority), "-in", str(file)])
    if done.returncode or "Signature verification: ok" not in done.stdout:
        raise StepFailed(f"{file.name}: the signature does not hold:\n{_said(done)}")


def make_test_certificate(folder: Path) -> tuple[Path, Path]:
    """A self-signed certificate for code and its key, for checks only: (certificate, key). Raises StepFailed."""
    certificate, key = folder / "signing.crt", folder / "signing.key"
    words = ["openssl", "req", "-x509", "-newkey", "rsa:3072", "-nodes", "-keyout", str(key), "-out", str(certificate)]
    words += ["-days", "30", "-subj", "/CN=Tongban self-signed", "-addext", "extendedKeyUsage=codeSigning"]
    done = _run([*words, "-addext", "keyUsage=digitalSignature"])
    if done.returncode:
        raise StepFailed(f"No certificate for the check:\n{_said(done)}")
    return certificate, key


def _run(words: list[str]) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(words, capture_output=True, check=False, encoding="utf-8", errors="replace")
    except OSError as error:
        raise StepFailed(f"Cannot start {words[0]}: {error.strerror}") from error


def _said(done: subprocess.CompletedProcess[str]) -> str:
    return (done.stdout + done.stderr)[-2000:]


def main(argv: list[str] | None = None) -> int:
    """Signs the files named; NSIS calls this for the uninstaller (!uninstfinalize)."""
    try:
        for word in sys.argv[1:] if argv is None else argv:
            sign(Path(word))
    except StepFailed as failure:
        print(failure, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
