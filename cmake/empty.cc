// A shared library needs one source file; the connector itself comes from its object library.
