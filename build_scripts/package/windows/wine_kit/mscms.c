/* Wine 8's mscms stops the program in a call of qwindows.dll; with this one there are no color profiles, that is all. */
#include <windows.h>
#define NOTHING(name) __declspec(dllexport) void *WINAPI name(void *a, void *b, void *c, void *d, void *e, void *f, void *g) { return 0; }
NOTHING(WcsCreateIccProfile)
NOTHING(OpenColorProfileW)
NOTHING(CloseColorProfile)
NOTHING(GetColorProfileFromHandle)
NOTHING(GetColorDirectoryW)
