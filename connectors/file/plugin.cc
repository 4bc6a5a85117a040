#include "connectors/file/file_sink.h"
#include "connectors/file/file_source.h"

MILLRACE_PLUGIN(millrace::file::FileStreamSource, millrace::file::FileStreamSink)
