; What the installer says, Chinese and English. $(OtherName): the program's name in the other language.
!macro Say name zh en
  LangString ${name} ${LANG_SIMPCHINESE} `${zh}`
  LangString ${name} ${LANG_ENGLISH} `${en}`
!macroend
!insertmacro Say AppName "通办" "Tongban"
!insertmacro Say OtherName "Tongban" "通办"
!insertmacro Say AppHint "通办：一次登录，整个办公" "Tongban, the office on the desktop"
!insertmacro Say DocumentName "版式文件" "Fixed-layout document"
!insertmacro Say TooOld "这台电脑的 Windows 版本太旧，装不了通办。$\n请先升级到 Windows 10 或更新的版本。" "This version of Windows is too old for Tongban.$\nPlease upgrade to Windows 10 or newer first."
!insertmacro Say NoRights "没有得到管理员权限，所以没有安装。$\n可以只为自己安装，或请管理员来安装。" "Administrator's rights were not given, so nothing was installed.$\nInstall for yourself only, or ask an administrator."
!insertmacro Say ModeTitle "为谁安装" "Who is it for?"
!insertmacro Say ModeHint "选择通办给谁使用。" "Choose who will use Tongban on this computer."
!insertmacro Say ModeUserLabel "只为我自己(&M)" "Only for &me"
!insertmacro Say ModeUserHint "不需要管理员权限。" "No administrator's rights needed."
!insertmacro Say ModeAllLabel "为这台电脑的所有用户(&A)" "For &all users of this computer"
!insertmacro Say ModeAllHint "需要管理员权限，系统会请您确认。" "Needs administrator's rights; Windows will ask."
!insertmacro Say Running "通办正在运行。$\n按“确定”后，它会先保存再退出，然后继续。" "Tongban is running.$\nPress OK: it saves and closes, then this goes on."
!insertmacro Say StillRunning "通办还没有退出，也许正在通话或传送文件，或由另一位用户打开着。$\n请在托盘图标的菜单里选“退出”，然后重试。" "Tongban has not closed yet: perhaps it is in a call or a transfer, or another user has it open.$\nChoose Quit in the menu of its tray icon, then retry."
!insertmacro Say NotWritten "文件没有全部写入，原来的版本已恢复。$\n请检查磁盘空间和权限，然后重新安装。" "Not all files could be written; what was there before has been put back.$\nCheck the disk's space and rights, then install again."
!insertmacro Say DataTitle "卸载通办" "Uninstall Tongban"
!insertmacro Say DataHint "程序会被删除；数据由您决定。" "The program is removed; the data is up to you."
!insertmacro Say DataWords "这台电脑上还存有您的聊天记录、草稿和缓存的文件。保留它们，以后重新安装时就能接着用；服务器上的内容不受影响。" "Your messages, drafts and cached files are kept on this computer. If they stay, you can go on where you left after installing again. What is on the server is not touched."
!insertmacro Say DataBox "同时删除我在这台电脑上的数据(&D)" "Also &delete my data on this computer"
!macro About language name hint
  VIAddVersionKey /LANG=${language} "ProductName" "${name}"
  VIAddVersionKey /LANG=${language} "ProductVersion" "${VERSION}"
  VIAddVersionKey /LANG=${language} "FileVersion" "${VERSION}"
  VIAddVersionKey /LANG=${language} "FileDescription" "${hint}"
  VIAddVersionKey /LANG=${language} "CompanyName" "${PUBLISHER}"
  VIAddVersionKey /LANG=${language} "LegalCopyright" "${PUBLISHER}, Apache-2.0"
!macroend
!insertmacro About ${LANG_SIMPCHINESE} "通办" "通办安装程序"
!insertmacro About ${LANG_ENGLISH} "Tongban" "Tongban Setup"
