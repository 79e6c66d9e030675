/* From here on functions may use the instructions WANTED, whatever the compiler's options say. */
#define TARGET_TEXT(text) _Pragma(#text)
#define TARGET_PRAGMA(text) TARGET_TEXT(text)
#if defined(__clang__)
TARGET_PRAGMA(clang attribute push(__attribute__((target(WANTED))), apply_to = function))
#else
#pragma GCC push_options
TARGET_PRAGMA(GCC target(WANTED))
#endif
