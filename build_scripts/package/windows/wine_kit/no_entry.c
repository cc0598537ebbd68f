/* python3.dll only forwards names; a DLL wants an entry point all the same. */
int __stdcall DllMain(void *module, unsigned reason, void *reserved) { return 1; }
