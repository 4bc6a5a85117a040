// A shared library that is no plugin.
extern "C" [[gnu::visibility("default")]] int something_else() { return 1; }
