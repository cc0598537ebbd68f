/* Windows 10 has it, Wine 8 has not: Rust's standard library (cryptography) draws its randomness from here. */
#include <windows.h>
BOOLEAN NTAPI SystemFunction036(PVOID, ULONG);
__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE place, SIZE_T length) { return SystemFunction036(place, (ULONG)length); }
