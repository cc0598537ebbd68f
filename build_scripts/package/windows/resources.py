"""What stands in the program's file besides code: version resource and application manifest, as PyInstaller wants them."""

from __future__ import annotations

import re

from build_scripts.package import layout

_LANGUAGES = (
    (0x0804, 1200, layout.DISPLAY_NAME_ZH, "通办：一次登录，整个办公"),
    (0x0409, 1200, layout.DISPLAY_NAME, "Tongban, the office on the desktop"),
)

MANIFEST = """<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<assembly xmlns="urn:schemas-microsoft-com:asm.v1" manifestVersion="1.0">
  <trustInfo xmlns="urn:schemas-microsoft-com:asm.v3"><security><requestedPrivileges>
    <requestedExecutionLevel level="asInvoker" uiAccess="false"/>
  </requestedPrivileges></security></trustInfo>
  <compatibility xmlns="urn:schemas-microsoft-com:compatibility.v1"><application>
    <supportedOS Id="{8e0f7a12-bfb3-4fe8-b9a5-48fd50a15a9a}"/>
  </application></compatibility>
  <application xmlns="urn:schemas-microsoft-com:asm.v3"><windowsSettings>
    <dpiAware xmlns="http://schemas.microsoft.com/SMI/2005/WindowsSettings">true/pm</dpiAware>
    <dpiAwareness xmlns="http://schemas.microsoft.com/SMI/2016/WindowsSettings">PerMonitorV2</dpiAwareness>
    <activeCodePage xmlns="http://schemas.microsoft.com/SMI/2019/WindowsSettings">UTF-8</activeCodePage>
    <longPathAware xmlns="http://schemas.microsoft.com/SMI/2016/WindowsSettings">true</longPathAware>
  </windowsSettings></application>
  <dependency><dependentAssembly>
    <assemblyIdentity type="win32" name="Microsoft.Windows.Common-Controls" version="6.0.0.0" processorArchitecture="*"
      publicKeyToken="6595b64144ccf1df" language="*"/>
  </dependentAssembly></dependency>
</assembly>
"""


def four_numbers(version: str) -> tuple[int, int, int, int]:
    """A version as Windows counts: `1.4.0rc2` is (1, 4, 0, 2), the release itself (1, 4, 0, 65535), so that it comes after its candidates."""
    found = re.fullmatch(r"(\d+)\.(\d+)\.(\d+)(?:(a|b|rc)(\d+))?", version)
    if found is None:
        raise ValueError(f"not a version of ours: {version}")
    major, minor, patch = (int(found.group(number)) for number in (1, 2, 3))
    steps = {"a": 0, "b": 1000, "rc": 2000}
    last = 65535 if found.group(4) is None else steps[found.group(4)] + int(found.group(5))
    return major, minor, patch, last


def version_resource(version: str) -> str:
    """The text of PyInstaller's version file: names in Chinese and English, own publisher, the version in words and numbers."""
    numbers = four_numbers(version)
    tables = "".join(_string_table(language, page, name, words, version) for language, page, name, words in _LANGUAGES)
    translations = ", ".join(f"{language}, {page}" for language, page, _name, _words in _LANGUAGES)
    return (
        f"VSVersionInfo(ffi=FixedFileInfo(filevers={numbers}, prodvers={numbers}, mask=0x3f, flags=0x0, OS=0x40004, fileType=0x1, subtype=0x0),\n"
        f"kids=[StringFileInfo([{tables}]),\nVarFileInfo([VarStruct('Translation', [{translations}])])])\n"
    )


def _string_table(language: int, page: int, name: str, words: str, version: str) -> str:
    values = {
        "CompanyName": layout.PUBLISHER,
        "FileDescription": words,
        "FileVersion": version,
        "InternalName": layout.APP_NAME,
        "LegalCopyright": f"{layout.PUBLISHER}, Apache-2.0",
        "OriginalFilename": f"{layout.APP_NAME}.exe",
        "ProductName": name,
        "ProductVersion": version,
    }
    strings = ", ".join(f"StringStruct({key!r}, {value!r})" for key, value in values.items())
    return f"StringTable('{language:04x}{page:04x}', [{strings}]),\n"
