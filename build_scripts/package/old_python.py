"""A Python that is content with glibc 2.28, for the bundle with the older Qt: Debian's own source of 3.11, built in a bare Debian 11.

Debian 11 has glibc 2.31. Of what is newer than 2.28 there, Python would take five functions of libm and one of libpthread:
the first are asked for in their older versions (OLD_MATH), the last is switched off. OpenSSL 1.1 stays with the system:
those who make UOS 20 and Kylin V10 mend it. Takes about five minutes of one core; kept beside the packages.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Final

from build_scripts.package import bundle, deb_check
from build_scripts.progress import StepFailed, run_step

SUITE: Final = "bullseye"
SOURCE_SUITE: Final = "bookworm"  # has Python 3.11, mended by Debian
SOURCE: Final = "python3.11"
TOOLS: Final = (
    *("gcc", "make", "libc6-dev", "dpkg-dev", "pkg-config", "xz-utils"),
    *("libssl-dev", "libffi-dev", "zlib1g-dev", "libbz2-dev", "liblzma-dev", "uuid-dev", "libexpat1-dev"),
)
# Libraries of Debian 11 that this Python is linked against: a newer system has them under other names, or newer ones.
TAKEN_ALONG: Final = ("libffi.so.7", "libssl.so.1.1", "libcrypto.so.1.1", "libbz2.so.1.0", "libz.so.1")
OLD_MATH: Final = "".join(
    f'__asm__(".symver {name},{name}@GLIBC_2.2.5");\n' for name in ("exp", "exp2", "log", "log2", "pow")
)
# Left out without a word when what they are built from is missing.
MODULES: Final = ("_bz2", "_ctypes", "_decimal", "_hashlib", "_lzma", "_ssl", "_uuid", "pyexpat", "zlib", "_zoneinfo")
INSIDE: Final = "/build"
PREFIX: Final = f"{INSIDE}/old-python"
CONFIGURE: Final = ("--enable-shared", "--without-ensurepip", "--with-system-expat", "--disable-test-modules")


def interpreter(out: Path) -> Path:
    """The interpreter, built when it is not there. Raises StepFailed: not root, no debootstrap, or the build failed."""
    prefix = (out / bundle.WORK / "old-python").resolve()
    python = prefix / "bin" / "python3.11"
    if python.exists():
        return python
    if os.geteuid() != 0 or shutil.which("debootstrap") is None:
        raise StepFailed("A Python for glibc 2.28 is built in a bare Debian 11: that needs root and debootstrap.")
    base = deb_check.base_system(out / bundle.WORK, SUITE)
    root = base.with_name("debian-for-python")
    shutil.rmtree(root, ignore_errors=True)
    try:
        run_step("copy the bare Debian", ["cp", "-a", base, root], cwd=base.parent)
        with deb_check.BareSystem(root) as system:
            _build(system, prefix)
    finally:
        shutil.rmtree(root, ignore_errors=True)
    return python


def _build(system: deb_check.BareSystem, prefix: Path) -> None:
    work = system.root / INSIDE.lstrip("/")
    work.mkdir()
    (work / "old_math.h").write_text(OLD_MATH, encoding="ascii")
    sources = system.root / "etc" / "apt" / "sources.list.d" / "python.list"
    sources.write_text(f"deb-src {deb_check.mirror()} {SOURCE_SUITE} main\n", encoding="ascii")
    system.run("apt-get update", "apt-get", "update", "-q")
    system.run("a compiler and what Python needs", "apt-get", "install", "-y", "-q", "--no-install-recommends", *TOOLS)
    system.run(f"source of {SOURCE}", "sh", "-c", f"cd {INSIDE} && apt-get source -q {SOURCE} && mv {SOURCE}-*/ source")
    flags = f'CFLAGS="-O2 -include {INSIDE}/old_math.h" LDFLAGS="-Wl,-rpath,{prefix}/lib" ac_cv_func_sem_clockwait=no'
    configure = f"cd {INSIDE}/source && {flags} ./configure -q --prefix={PREFIX} {' '.join(CONFIGURE)}"
    system.run("configure Python", "sh", "-c", configure)
    system.run("build Python", "sh", "-c", f"cd {INSIDE}/source && make -s -j2 && make -s install")
    for name in TAKEN_ALONG:
        places = (system.root / "usr" / "lib", system.root / "lib")
        source = next((found for place in places for found in place.glob(f"*/{name}")), None)
        if source is None:
            raise StepFailed(f"{name} is not in Debian 11 any more.")
        shutil.copy(source, work / "old-python" / "lib" / name)
    shutil.rmtree(prefix, ignore_errors=True)
    shutil.move(work / "old-python", prefix)
    program = prefix / "bin" / "python3.11"
    run_step("what a program imports", [program, "-c", f"import {', '.join(MODULES)}"], cwd=prefix)
