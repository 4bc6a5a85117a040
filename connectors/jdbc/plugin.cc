/// The JDBC source and sink as one plugin.
#include "connectors/jdbc/sink_connector.h"
#include "connectors/jdbc/source_connector.h"

MILLRACE_PLUGIN(millrace::jdbc::JdbcSource, millrace::jdbc::JdbcSink)
