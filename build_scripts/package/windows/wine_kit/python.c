/* python.exe: hands the command line to the interpreter's DLL, as python.org's own does. */
#include <wchar.h>
extern int Py_Main(int, wchar_t **);
int wmain(int count, wchar_t **words) { return Py_Main(count, words); }
