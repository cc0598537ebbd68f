; The installer for Windows, 64 bit: for the one user or for all users of the machine, in Chinese and English.
; makensis -INPUTCHARSET UTF8 -DPAYLOAD=folder -DOUTFILE=setup.exe -DVERSION=1.2.3 -DNUMBERS=1.2.3.65535 -DICON=x.ico
;   -DPUBLISHER=… [-DSIDE=x.bmp] [-DSIGN=command] [-DFAST] tongban.nsi
;
;   /S            silent                            /D=FOLDER      where to (last, without quotes)
;   /CurrentUser  for the one who runs it           /AllUsers      for everybody; wants administrator's rights
;   /NODESKTOP    no icon on the desktop            /NOAUTOSTART   does not start with the session
;   /FORCE        ends a program that does not close when asked
;   /LANG=2052    Chinese, /LANG=1033 English; else as Windows
; The uninstaller knows /S, /FORCE and /PURGE (the user's data too).
;
; Exit codes: 0 done; 1 given up by the user; 2 failed; 32 the program still runs; 740 administrator's rights are missing;
; 1150 this Windows is too old.
; Written below Software\Policies\Tongban: nothing, ever.

Unicode true
Target amd64-unicode ; a 64-bit program needs no 32-bit installer
ManifestDPIAware true
ManifestSupportedOS Win10
RequestExecutionLevel user ; rights are asked for only when "all users" is chosen
!ifdef FAST
  SetCompressor zlib
!else
  SetCompressor /SOLID lzma
  SetCompressorDictSize 32
!endif

!include "MUI2.nsh"
!include "FileFunc.nsh"
!include "LogicLib.nsh"
!include "WinVer.nsh"
!include "WordFunc.nsh"
!include "nsDialogs.nsh"
!include "Win\COM.nsh"
!include "Win\Propkey.nsh"

!define APP "tongban"
!define FOLDER "Tongban"
!define KEY "Software\Tongban"
!define POLICY "Software\Policies\Tongban"
!define UNINSTALL "Software\Microsoft\Windows\CurrentVersion\Uninstall\Tongban"
!define APP_PATH "Software\Microsoft\Windows\CurrentVersion\App Paths\${APP}.exe"
!define RUN "Software\Microsoft\Windows\CurrentVersion\Run"
!define LINKS "Software\Classes\tongban"
!define DOCUMENT "Software\Classes\Tongban.Document"
!define OFD "Software\Classes\.ofd\OpenWithProgids"
!define WAIT_MS 30000
!define QUIT_NOBODY 4 ; desktop/app/lifecycle.py: --quit found no running program

!define CODE_FAILED 2
!define CODE_RUNNING 32
!define CODE_RIGHTS 740
!define CODE_OLD 1150

Name "$(AppName)"
OutFile "${OUTFILE}"
BrandingText "$(AppName) ${VERSION}"
ShowInstDetails nevershow
ShowUninstDetails nevershow
!ifdef SIGN
  !uninstfinalize '${SIGN} "%1"' = 0
!endif

VIProductVersion "${NUMBERS}"
VIFileVersion "${NUMBERS}"

Var Mode ; user, all
Var WasThere ; 1: an earlier version is in $INSTDIR
Var WasRunning
Var Purge
Var ModeUser
Var ModeAll
Var PurgeBox

!define MUI_ICON "${ICON}"
!define MUI_UNICON "${ICON}"
!define MUI_ABORTWARNING
!ifdef SIDE
  !define MUI_WELCOMEFINISHPAGE_BITMAP "${SIDE}" ; beside the words of the last page
!endif
!define MUI_FINISHPAGE_RUN
!define MUI_FINISHPAGE_RUN_FUNCTION StartProgram

Page custom ShowMode LeaveMode
!insertmacro MUI_PAGE_DIRECTORY
!insertmacro MUI_PAGE_INSTFILES
!insertmacro MUI_PAGE_FINISH
UninstPage custom un.ShowData un.LeaveData
!insertmacro MUI_UNPAGE_INSTFILES

!insertmacro MUI_LANGUAGE "SimpChinese"
!insertmacro MUI_LANGUAGE "English"
!include "texts.nsh"

; ------------------------------------------------------------ for whom
!macro UseMode
  ${If} $Mode == "all"
    SetShellVarContext all
  ${Else}
    SetShellVarContext current
  ${EndIf}
!macroend

!macro PickLanguage
  ${GetParameters} $0
  ClearErrors
  ${GetOptions} $0 "/LANG=" $1
  ${IfNot} ${Errors}
    StrCpy $LANGUAGE $1
  ${EndIf}
!macroend

Function .onInit
  SetRegView 64
  !insertmacro PickLanguage
  ${IfNot} ${AtLeastWin10}
    MessageBox MB_OK|MB_ICONSTOP "$(TooOld)" /SD IDOK
    SetErrorLevel ${CODE_OLD}
    Quit
  ${EndIf}
  Call FindMode
  !insertmacro UseMode
  ${If} $Mode == "all"
    Call MustBeAdministrator
  ${EndIf}
  ${If} $INSTDIR == "" ; no /D=
    Call UsualFolder
  ${EndIf}
FunctionEnd

; What the command line says, else where it is installed already, else for this user alone.
Function FindMode
  StrCpy $Mode "user"
  ReadRegStr $0 HKCU "${KEY}" "InstallDir"
  ReadRegStr $1 HKLM "${KEY}" "InstallDir"
  ${If} $0 == ""
  ${AndIf} $1 != ""
    StrCpy $Mode "all"
  ${EndIf}
  ${GetParameters} $0
  ClearErrors
  ${GetOptions} $0 "/AllUsers" $1
  ${IfNot} ${Errors}
    StrCpy $Mode "all"
  ${EndIf}
  ClearErrors
  ${GetOptions} $0 "/CurrentUser" $1
  ${IfNot} ${Errors}
    StrCpy $Mode "user"
  ${EndIf}
FunctionEnd

; The folder of the version that is there, else the usual one of the system.
Function UsualFolder
  ReadRegStr $INSTDIR SHCTX "${KEY}" "InstallDir"
  ${If} $INSTDIR == ""
    ${If} $Mode == "all"
      StrCpy $INSTDIR "$PROGRAMFILES64\${FOLDER}"
    ${Else}
      StrCpy $INSTDIR "$LOCALAPPDATA\Programs\${FOLDER}"
    ${EndIf}
  ${EndIf}
FunctionEnd

; Silent: ends with a code. Otherwise Windows asks for the rights, and the installer goes on as another process.
Function MustBeAdministrator
  UserInfo::GetAccountType
  Pop $0
  ${If} $0 == "Admin"
    Return
  ${EndIf}
  ${If} ${Silent}
    SetErrorLevel ${CODE_RIGHTS}
    Quit
  ${EndIf}
  ClearErrors
  ExecShell "runas" "$EXEPATH" "/AllUsers /LANG=$LANGUAGE"
  ${If} ${Errors}
    MessageBox MB_OK|MB_ICONEXCLAMATION "$(NoRights)"
    SetErrorLevel ${CODE_RIGHTS}
  ${EndIf}
  Quit
FunctionEnd

Function ShowMode
  !insertmacro MUI_HEADER_TEXT "$(ModeTitle)" "$(ModeHint)"
  nsDialogs::Create 1018
  Pop $0
  ${NSD_CreateRadioButton} 0 20u 100% 12u "$(ModeUserLabel)"
  Pop $ModeUser
  ${NSD_CreateLabel} 12u 33u 95% 20u "$(ModeUserHint)"
  Pop $0
  ${NSD_CreateRadioButton} 0 60u 100% 12u "$(ModeAllLabel)"
  Pop $ModeAll
  ${NSD_CreateLabel} 12u 73u 95% 20u "$(ModeAllHint)"
  Pop $0
  ${If} $Mode == "all"
    ${NSD_Check} $ModeAll
  ${Else}
    ${NSD_Check} $ModeUser
  ${EndIf}
  nsDialogs::Show
FunctionEnd

Function LeaveMode
  ${NSD_GetState} $ModeAll $0
  StrCpy $1 $Mode
  StrCpy $Mode "user"
  ${If} $0 == ${BST_CHECKED}
    StrCpy $Mode "all"
    Call MustBeAdministrator
  ${EndIf}
  !insertmacro UseMode
  ${If} $Mode != $1
    Call UsualFolder
  ${EndIf}
FunctionEnd

; ------------------------------------------------------------ a program that runs
; Asks it to save and end (`--quit`, the channel of the second start), waits until its file may be written.
!macro DefineCloseProgram prefix
Function ${prefix}CloseProgram
  StrCpy $WasRunning 0
  ${IfNot} ${FileExists} "$INSTDIR\${APP}.exe"
    Return
  ${EndIf}
  Call ${prefix}IsFree
  Pop $0
  ${If} $0 == 1
    Return
  ${EndIf}
  StrCpy $WasRunning 1
  MessageBox MB_OKCANCEL|MB_ICONINFORMATION "$(Running)" /SD IDOK IDOK ask
  SetErrorLevel 1
  Quit
ask:
  ExecWait '"$INSTDIR\${APP}.exe" --quit' $0
  StrCpy $2 0
  ${Do}
    Call ${prefix}IsFree
    Pop $0
    ${If} $0 == 1
      Return
    ${EndIf}
    ${If} $2 >= ${WAIT_MS}
      ${ExitDo}
    ${EndIf}
    Sleep 250
    IntOp $2 $2 + 250
  ${Loop}
  ${GetParameters} $0
  ClearErrors
  ${GetOptions} $0 "/FORCE" $1
  ${IfNot} ${Errors}
    nsExec::Exec 'taskkill /F /IM ${APP}.exe'
    Pop $0
    Sleep 1000
    Call ${prefix}IsFree
    Pop $0
    ${If} $0 == 1
      Return
    ${EndIf}
  ${EndIf}
  MessageBox MB_RETRYCANCEL|MB_ICONEXCLAMATION "$(StillRunning)" /SD IDCANCEL IDRETRY ask
  SetErrorLevel ${CODE_RUNNING}
  Quit
FunctionEnd

; Pushes 1 when nobody runs the program: a file that runs cannot be opened for writing.
Function ${prefix}IsFree
  ClearErrors
  FileOpen $1 "$INSTDIR\${APP}.exe" a
  ${If} ${Errors}
    ClearErrors
    Push 0
  ${Else}
    FileClose $1
    Push 1
  ${EndIf}
FunctionEnd
!macroend
!insertmacro DefineCloseProgram ""
!insertmacro DefineCloseProgram "un."

; With the user's own rights also when we have more.
Function StartProgram
  ${If} $Mode == "all"
    Exec '"$WINDIR\explorer.exe" "$INSTDIR\${APP}.exe"'
  ${Else}
    Exec '"$INSTDIR\${APP}.exe"'
  ${EndIf}
FunctionEnd

; ------------------------------------------------------------ installing
!macro MakeShortcut link
  CreateShortcut "${link}" "$INSTDIR\${APP}.exe" "" "$INSTDIR\${APP}.exe" 0 SW_SHOWNORMAL "" "$(AppHint)"
  Push "${link}"
  Call NameShortcut
!macroend

; The shortcut bears the name that the program gives itself (desktop/platform/environment.py): without it no toasts.
Function NameShortcut
  Pop $9
  !insertmacro ComHlpr_CreateInProcInstance ${CLSID_ShellLink} ${IID_IShellLink} r0 ""
  ${If} $0 P<> 0
    ${IUnknown::QueryInterface} $0 '("${IID_IPersistFile}",.r1)'
    ${If} $1 P<> 0
      ${IPersistFile::Load} $1 '("$9", ${STGM_READWRITE})'
      ${IUnknown::QueryInterface} $0 '("${IID_IPropertyStore}",.r2)'
      ${If} $2 P<> 0
        System::Call 'Oleaut32::SysAllocString(w "${APP}")p.r3'
        System::Call '*${SYSSTRUCT_PROPERTYKEY}(${PKEY_AppUserModel_ID})p.r4'
        System::Call '*${SYSSTRUCT_PROPVARIANT}(${VT_BSTR},,p r3)p.r5'
        ${IPropertyStore::SetValue} $2 '($4, $5)'
        ${IPropertyStore::Commit} $2 ""
        ${IPersistFile::Save} $1 '("$9", 1)'
        System::Free $4
        System::Free $5
        System::Call 'Oleaut32::SysFreeString(p r3)'
        ${IUnknown::Release} $2 ""
      ${EndIf}
      ${IUnknown::Release} $1 ""
    ${EndIf}
    ${IUnknown::Release} $0 ""
  ${EndIf}
FunctionEnd

Section "Program"
  SetRegView 64
  !insertmacro UseMode
  StrCpy $WasThere 0
  ${If} ${FileExists} "$INSTDIR\${APP}.exe"
    StrCpy $WasThere 1
  ${EndIf}
  Call CloseProgram
  Call PutFiles
  Call WriteEntries
  Call WriteLinks
  ${If} $WasThere == 0
    Call FirstTime
  ${EndIf}
  Call RegisterUninstall
  System::Call 'shell32::SHChangeNotify(i 0x08000000, i 0, p 0, p 0)'
  ${If} $WasRunning == 1
  ${AndIf} ${Silent}
    ${If} $Mode == "all"
      Call StartProgram
    ${Else}
      Exec '"$INSTDIR\${APP}.exe" --hidden'
    ${EndIf}
  ${EndIf}
SectionEnd

; The earlier version stands aside until the new one is whole, and comes back when that fails.
Function PutFiles
  ${If} $WasThere == 1
    RMDir /r "$INSTDIR\_internal.old"
    ClearErrors
    Rename "$INSTDIR\_internal" "$INSTDIR\_internal.old"
    Rename "$INSTDIR\${APP}.exe" "$INSTDIR\${APP}.old"
    ${If} ${Errors}
      Call GiveBack
    ${EndIf}
  ${EndIf}
  SetOutPath "$INSTDIR"
  SetOverwrite try
  ClearErrors
  File /r "${PAYLOAD}/*"
  WriteUninstaller "$INSTDIR\uninstall.exe"
  ${If} ${Errors}
    Call GiveBack
  ${EndIf}
  RMDir /r "$INSTDIR\_internal.old"
  Delete "$INSTDIR\${APP}.old"
FunctionEnd

Function GiveBack
  ${If} ${FileExists} "$INSTDIR\_internal.old\*"
    RMDir /r "$INSTDIR\_internal"
    Rename "$INSTDIR\_internal.old" "$INSTDIR\_internal"
  ${EndIf}
  ${If} ${FileExists} "$INSTDIR\${APP}.old"
    Delete "$INSTDIR\${APP}.exe"
    Rename "$INSTDIR\${APP}.old" "$INSTDIR\${APP}.exe"
  ${EndIf}
  MessageBox MB_OK|MB_ICONSTOP "$(NotWritten)" /SD IDOK
  SetErrorLevel ${CODE_FAILED}
  Quit
FunctionEnd

Function WriteEntries
  WriteRegStr SHCTX "${KEY}" "InstallDir" "$INSTDIR"
  WriteRegStr SHCTX "${KEY}" "Version" "${VERSION}"
  WriteRegStr SHCTX "${APP_PATH}" "" "$INSTDIR\${APP}.exe"
  WriteRegStr SHCTX "${APP_PATH}" "Path" "$INSTDIR"
  WriteRegStr SHCTX "${LINKS}" "" "URL:$(AppName)"
  WriteRegStr SHCTX "${LINKS}" "URL Protocol" ""
  WriteRegStr SHCTX "${LINKS}\DefaultIcon" "" "$INSTDIR\${APP}.exe,0"
  WriteRegStr SHCTX "${LINKS}\shell\open\command" "" '"$INSTDIR\${APP}.exe" -- "%1"'
  WriteRegStr SHCTX "${DOCUMENT}" "" "$(DocumentName)"
  WriteRegStr SHCTX "${DOCUMENT}\DefaultIcon" "" "$INSTDIR\${APP}.exe,0"
  WriteRegStr SHCTX "${DOCUMENT}\shell\open\command" "" '"$INSTDIR\${APP}.exe" -- "%1"'
  WriteRegStr SHCTX "${OFD}" "Tongban.Document" "" ; offered, not taken
FunctionEnd

Function WriteLinks
  Delete "$SMPROGRAMS\$(OtherName).lnk" ; installed earlier in the other language
  !insertmacro MakeShortcut "$SMPROGRAMS\$(AppName).lnk"
FunctionEnd

; Only once: what the user took away stays away when the program is upgraded.
Function FirstTime
  ${GetParameters} $0
  ClearErrors
  ${GetOptions} $0 "/NODESKTOP" $1
  ${If} ${Errors}
    !insertmacro MakeShortcut "$DESKTOP\$(AppName).lnk"
  ${EndIf}
  ClearErrors
  ${GetParameters} $0
  ${GetOptions} $0 "/NOAUTOSTART" $1
  ${IfNot} ${Errors}
    Return
  ${EndIf}
  ; The administrator's word: 0 forbids. The machine's wins over the user's.
  ClearErrors
  ReadRegDWORD $0 HKLM "${POLICY}" "Autostart"
  ${If} ${Errors}
    ClearErrors
    ReadRegDWORD $0 HKCU "${POLICY}" "Autostart"
    ${If} ${Errors}
      StrCpy $0 1
    ${EndIf}
  ${EndIf}
  ${If} $0 <> 0
    WriteRegStr SHCTX "${RUN}" "${APP}" '"$INSTDIR\${APP}.exe" --hidden'
  ${EndIf}
FunctionEnd

Function RegisterUninstall
  WriteRegStr SHCTX "${UNINSTALL}" "DisplayName" "$(AppName)"
  WriteRegStr SHCTX "${UNINSTALL}" "DisplayVersion" "${VERSION}"
  WriteRegStr SHCTX "${UNINSTALL}" "DisplayIcon" "$INSTDIR\${APP}.exe,0"
  WriteRegStr SHCTX "${UNINSTALL}" "Publisher" "${PUBLISHER}"
  WriteRegStr SHCTX "${UNINSTALL}" "InstallLocation" "$INSTDIR"
  WriteRegStr SHCTX "${UNINSTALL}" "UninstallString" '"$INSTDIR\uninstall.exe"'
  WriteRegStr SHCTX "${UNINSTALL}" "QuietUninstallString" '"$INSTDIR\uninstall.exe" /S'
  WriteRegDWORD SHCTX "${UNINSTALL}" "NoModify" 1
  WriteRegDWORD SHCTX "${UNINSTALL}" "NoRepair" 1
  ${GetSize} "$INSTDIR" "/S=0K" $0 $1 $2
  IntFmt $0 "0x%08X" $0
  WriteRegDWORD SHCTX "${UNINSTALL}" "EstimatedSize" "$0"
FunctionEnd

; ------------------------------------------------------------ uninstalling
Function un.onInit
  SetRegView 64
  !insertmacro PickLanguage
  StrCpy $Mode "user"
  StrCpy $Purge 0
  ReadRegStr $0 HKLM "${KEY}" "InstallDir"
  ${If} $0 == $INSTDIR
    StrCpy $Mode "all"
    UserInfo::GetAccountType
    Pop $1
    ${If} $1 != "Admin"
      ${IfNot} ${Silent}
        ExecShell "runas" "$INSTDIR\uninstall.exe" "/LANG=$LANGUAGE"
      ${EndIf}
      SetErrorLevel ${CODE_RIGHTS}
      Quit
    ${EndIf}
  ${EndIf}
  !insertmacro UseMode
  ${GetParameters} $0
  ClearErrors
  ${GetOptions} $0 "/PURGE" $1
  ${IfNot} ${Errors}
    StrCpy $Purge 1
  ${EndIf}
FunctionEnd

Function un.ShowData
  !insertmacro MUI_HEADER_TEXT "$(DataTitle)" "$(DataHint)"
  nsDialogs::Create 1018
  Pop $0
  ${NSD_CreateLabel} 0 20u 100% 36u "$(DataWords)"
  Pop $0
  ${NSD_CreateCheckbox} 0 62u 100% 12u "$(DataBox)"
  Pop $PurgeBox
  ${If} $Purge == 1
    ${NSD_Check} $PurgeBox
  ${EndIf}
  nsDialogs::Show
FunctionEnd

Function un.LeaveData
  ${NSD_GetState} $PurgeBox $0
  StrCpy $Purge 0
  ${If} $0 == ${BST_CHECKED}
    StrCpy $Purge 1
  ${EndIf}
FunctionEnd

Section "Uninstall"
  Call un.CloseProgram
  Delete "$INSTDIR\${APP}.exe"
  Delete "$INSTDIR\uninstall.exe"
  RMDir /r "$INSTDIR\_internal"
  SetOutPath "$TEMP"
  RMDir "$INSTDIR" ; what others put there stays
  Delete "$SMPROGRAMS\$(AppName).lnk"
  Delete "$SMPROGRAMS\$(OtherName).lnk"
  Delete "$DESKTOP\$(AppName).lnk"
  Delete "$DESKTOP\$(OtherName).lnk"
  DeleteRegValue SHCTX "${RUN}" "${APP}"
  DeleteRegValue HKCU "${RUN}" "${APP}"
  DeleteRegValue HKCU "Software\Microsoft\Windows\CurrentVersion\Explorer\StartupApproved\Run" "${APP}"
  DeleteRegKey HKCU "Software\Classes\AppUserModelId\$(AppName)" ; the program names itself there before its first toast
  DeleteRegKey HKCU "Software\Classes\AppUserModelId\$(OtherName)"
  DeleteRegKey SHCTX "${LINKS}"
  DeleteRegKey SHCTX "${DOCUMENT}"
  DeleteRegValue SHCTX "${OFD}" "Tongban.Document"
  DeleteRegKey /ifempty SHCTX "${OFD}"
  DeleteRegKey /ifempty SHCTX "Software\Classes\.ofd"
  DeleteRegKey SHCTX "${APP_PATH}"
  DeleteRegKey SHCTX "${UNINSTALL}"
  DeleteRegKey SHCTX "${KEY}"
  ${If} $Purge == 1
    SetShellVarContext current ; of the others' data we know nothing
    RMDir /r "$LOCALAPPDATA\${APP}"
  ${EndIf}
  System::Call 'shell32::SHChangeNotify(i 0x08000000, i 0, p 0, p 0)'
SectionEnd
