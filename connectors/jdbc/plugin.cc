/// The JDBC source and sinks as one plugin.
#include "connectors/jdbc/sink_connector.h"
#include "connectors/jdbc/source_connector.h"

MILLRACE_PLUGIN(millrace::jdbc::JdbcSource, millrace::jdbc::JdbcSink, millrace::jdbc::DebeziumJdbcSink)
