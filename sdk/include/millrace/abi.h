/* millrace plugin ABI, version 1.3: everything that crosses between the worker and a connector plugin.
 *
 * A plugin is a shared library that exports one symbol, `mr_plugin`. C++ authors include <millrace/connector.hpp>
 * instead, which wraps this file; it is C so that a plugin and a worker built by different compilers agree.
 *
 * Conventions
 * - Every table begins with struct_size, major, minor. Functions are only appended; a reader looks at struct_size
 *   before it touches a later member. Another major is refused. Structs that travel in arrays (mr_value, mr_record,
 *   mr_field, mr_pair, mr_config_key) never change within a major.
 * - One ownership rule: arguments are borrowed for the call and the callee copies what it keeps. No memory is freed on
 *   the other side. Values returned by host functions live until the task or connector is destroyed, unless said
 * otherwise.
 * - Functions return an mr_code; on failure `error` is filled in place and has the same code. No exception crosses.
 * - Strings are pointer and size, UTF-8, not terminated; data = NULL means "none" where a string is optional.
 * - A task is called by one thread at a time; only `interrupt` comes from another thread.
 * - A plugin is trusted code in the worker's process; it is never unloaded.
 */
#ifndef MILLRACE_ABI_H
#define MILLRACE_ABI_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MR_ABI_MAJOR 1
#define MR_ABI_MINOR 3

typedef struct mr_str {
  const char* data;
  size_t size;
} mr_str;

typedef struct mr_pair {
  mr_str key, value;
} mr_pair;

/* What the caller does next. */
typedef enum mr_code {
  MR_OK = 0,
  MR_UNAVAILABLE = 1,    /* passing trouble: the worker calls again with back-off (Connect's RetriableException) */
  MR_BAD_RECORD = 2,     /* this record can never be processed: errors.tolerance decides */
  MR_INVALID_CONFIG = 3, /* the user must change a setting */
  MR_NOT_FOUND = 4,
  MR_ALREADY_EXISTS = 5,
  MR_CONFLICT = 6,
  MR_FENCED = 7,
  MR_CORRUPTION = 8,
  MR_STOPPED = 9,  /* the task was asked to stop while the call waited: return */
  MR_INTERNAL = 10 /* fail the task with this message */
} mr_code;

typedef struct mr_error {
  int32_t code;           /* mr_code */
  int32_t retry_after_ms; /* with MR_UNAVAILABLE: earliest next try; 0 = the worker's back-off */
  char message[2040];     /* terminated UTF-8; cut when too long */
} mr_error;

/* ---- values ---------------------------------------------------------------------------------------------------- */

/* The types of Kafka Connect's data model. Logical types are carried as their base type under a named schema:
 *   org.apache.kafka.connect.data.Date       MR_INT32, days since 1970-01-01
 *   org.apache.kafka.connect.data.Time       MR_INT32, milliseconds of the day
 *   org.apache.kafka.connect.data.Timestamp  MR_INT64, milliseconds since the epoch, UTC
 *   org.apache.kafka.connect.data.Decimal    schema type MR_BYTES, value kind MR_DECIMAL */
typedef enum mr_kind {
  MR_NULL = 0,
  MR_BOOLEAN = 1,
  MR_INT8 = 2,
  MR_INT16 = 3,
  MR_INT32 = 4,
  MR_INT64 = 5,
  MR_FLOAT32 = 6,
  MR_FLOAT64 = 7,
  MR_STRING = 8,
  MR_BYTES = 9,
  MR_ARRAY = 10,
  MR_MAP = 11,
  MR_STRUCT = 12,
  /* Kinds of values only, never the type of a schema: */
  MR_DECIMAL = 13,  /* unscaled value as big-endian two's complement in `bytes`, with `scale` */
  MR_TIMESTAMP = 14 /* a point in time without a schema (java.util.Date): milliseconds since the epoch in i64 */
} mr_kind;

typedef struct mr_value {
  uint8_t kind;  /* mr_kind */
  uint8_t flags; /* 0 */
  int16_t scale; /* MR_DECIMAL: digits after the point */
  uint32_t size; /* bytes of STRING, BYTES, DECIMAL; elements of ARRAY; entries of MAP; fields of STRUCT */
  union {
    int64_t i64;                  /* BOOLEAN (0, 1), INT8 to INT64, TIMESTAMP */
    double f64;                   /* FLOAT64, and FLOAT32 widened */
    const char* bytes;            /* STRING, BYTES, DECIMAL */
    const struct mr_value* items; /* ARRAY: size values; STRUCT: one a field, in the schema's order;
                                     MAP: 2 * size values, key and value in turn */
  } u;
} mr_value;

/* ---- schemas --------------------------------------------------------------------------------------------------- */

/* Number of a schema within one task, given by register_schema; 0 = no schema. */
typedef uint32_t mr_schema_id;

typedef struct mr_field {
  mr_str name;
  mr_schema_id schema;
  uint32_t reserved;
} mr_field;

typedef struct mr_schema {
  uint32_t struct_size;
  uint8_t type;        /* mr_kind up to MR_STRUCT, not MR_NULL */
  uint8_t optional;    /* 0, 1 */
  uint8_t has_version; /* 0, 1 */
  uint8_t has_default; /* 0, 1 */
  int32_t version;
  uint32_t reserved;
  mr_str name; /* data NULL = none */
  mr_str doc;  /* data NULL = none */
  const mr_pair* parameters;
  size_t parameter_count;
  mr_schema_id key_schema;   /* MAP */
  mr_schema_id value_schema; /* MAP values, ARRAY elements */
  const mr_field* fields;    /* STRUCT */
  size_t field_count;
  mr_value default_value;
} mr_schema;

/* ---- records --------------------------------------------------------------------------------------------------- */

#define MR_NO_TIMESTAMP INT64_MIN
#define MR_NO_PARTITION (-1)

typedef struct mr_header {
  mr_str key;
  mr_schema_id schema;
  uint32_t reserved;
  mr_value value;
} mr_header;

/* A record on its way from a source or to a sink. */
typedef struct mr_record {
  mr_str topic;
  int32_t partition; /* source: MR_NO_PARTITION lets the key's hash, or round robin, decide */
  mr_schema_id key_schema, value_schema;
  uint32_t header_count;
  mr_value key, value;
  const mr_header* headers;
  int64_t timestamp_ms; /* MR_NO_TIMESTAMP = the time it is written */
  /* source: where the record came from. Both MAPs with STRING keys and primitive or null values; the same partition
     map must be written in the same member order each time. partition kind MR_NULL: no offset is kept. */
  mr_value source_partition, source_offset;
  /* sink: coordinates in the log, before any transform changed the topic. */
  mr_str original_topic;
  int32_t original_partition;
  int32_t reserved;
  int64_t offset;
} mr_record;

typedef struct mr_topic_partition {
  mr_str topic;
  int32_t partition;
  uint32_t reserved;
  int64_t offset; /* in offset lists: the next offset to read */
} mr_topic_partition;

/* ---- configuration --------------------------------------------------------------------------------------------- */

typedef enum mr_type { /* Kafka's ConfigDef types */
                       MR_TYPE_BOOLEAN = 0,
                       MR_TYPE_STRING = 1,
                       MR_TYPE_INT = 2,
                       MR_TYPE_SHORT = 3,
                       MR_TYPE_LONG = 4,
                       MR_TYPE_DOUBLE = 5,
                       MR_TYPE_LIST = 6,
                       MR_TYPE_CLASS = 7,
                       MR_TYPE_PASSWORD = 8
} mr_type;

typedef enum mr_importance { MR_HIGH = 0, MR_MEDIUM = 1, MR_LOW = 2 } mr_importance;
typedef enum mr_width { MR_WIDTH_NONE = 0, MR_WIDTH_SHORT = 1, MR_WIDTH_MEDIUM = 2, MR_WIDTH_LONG = 3 } mr_width;

/* Checks one value (its text, trimmed). On failure `error->message` completes "Invalid value V for configuration K: ".
 */
typedef int32_t (*mr_check)(mr_str value, mr_error* error);

typedef struct mr_config_key {
  mr_str name;
  int32_t type;       /* mr_type */
  int32_t importance; /* mr_importance */
  int32_t width;      /* mr_width */
  int32_t order;      /* within the group, from 1; -1 = none */
  int32_t required;   /* 1: no default. 0: default_value, whose data may be NULL for Java's null */
  int32_t reserved;
  mr_str default_value;
  mr_str documentation;
  mr_str group;        /* data NULL = none */
  mr_str display_name; /* data NULL = the name */
  const mr_str* dependents;
  size_t dependent_count;
  mr_check check; /* NULL = any value of the type */
} mr_config_key;

/* Settings as the user wrote them, defaults not filled in, config providers resolved. */
typedef struct mr_config {
  const mr_pair* pairs;
  size_t count;
} mr_config;

/* ---- the host, as a connector or task sees it ------------------------------------------------------------------- */

typedef struct mr_context mr_context; /* the host's side of one connector or task */

typedef enum mr_level { MR_DEBUG = 0, MR_INFO = 1, MR_WARN = 2, MR_ERROR = 3 } mr_level;

/* One thing that a task tells of long work: "rows_done", "table". */
typedef struct mr_progress {
  mr_str name; /* letters, digits, underscores */
  mr_str text; /* data NULL: `number` counts */
  double number;
} mr_progress;

typedef struct mr_host_v1 {
  uint32_t struct_size;
  uint16_t major, minor;

  /* Any thread. The line is shown with the connector's or task's name before it. */
  void (*log)(mr_context*, int32_t level, mr_str message);
  /* Any thread. 1 once a stop was asked for: leave long work. */
  int32_t (*stopping)(mr_context*);
  /* Waits up to `ms`, less when a stop is asked for; returns stopping(). */
  int32_t (*wait)(mr_context*, int64_t ms);

  /* Tasks. Numbers `schema` (equal schemas get the same number). Copied. */
  int32_t (*register_schema)(mr_context*, const mr_schema* schema, mr_schema_id* id, mr_error* error);
  /* Tasks. Describes a number; NULL if unknown. Lives as long as the task. */
  const mr_schema* (*describe_schema)(mr_context*, mr_schema_id id);

  /* Source tasks and source connectors. The offset stored last for `partition` (a MAP): kind MR_NULL when none.
     `offset` lives until the next call on this context. */
  int32_t (*stored_offset)(mr_context*, const mr_value* partition, mr_value* offset, mr_error* error);
  /* Source tasks, within poll. Transforms, converts and queues `count` records; waits for room. When it returns the
     records have been copied; their source offsets are stored after the log has acknowledged them.
     MR_STOPPED: return from poll. Any other failure: return it from poll. */
  int32_t (*emit)(mr_context*, const mr_record* records, size_t count, mr_error* error);

  /* Sink tasks. Commit soon rather than at the next interval. */
  void (*request_commit)(mr_context*);
  /* Sink tasks. Reports records of the current put as bad, by index, for errors.tolerance and the dead letter queue.
     MR_OK: go on without it. Otherwise (no reporter configured, or tolerance none): return the failure from put. */
  int32_t (*report)(mr_context*, size_t record_index, const mr_error* why, mr_error* error);
  /* Sink tasks. Reads continue at `offset` from the next put on. */
  int32_t (*seek)(mr_context*, const mr_topic_partition* to, mr_error* error);
  /* Sink tasks. Stop or resume reading a partition of the assignment. */
  int32_t (*pause)(mr_context*, const mr_topic_partition* partitions, size_t count, mr_error* error);
  int32_t (*resume)(mr_context*, const mr_topic_partition* partitions, size_t count, mr_error* error);

  /* Connectors. Ask for task_configs to be called again. Any thread. */
  void (*request_reconfiguration)(mr_context*);
  /* Connectors. The connector becomes FAILED with this error. Any thread. */
  void (*raise_error)(mr_context*, const mr_error* error);
  /* Connectors, within task_configs: adds the configuration of one more task. */
  void (*add_task_config)(mr_context*, const mr_config* config);
  /* Connectors, within validate: attaches a message to a key. */
  void (*add_config_error)(mr_context*, mr_str key, mr_str message);
  /* The connector's name. */
  mr_str (*connector_name)(mr_context*);

  /* ---- since 1.1 ---- */

  /* Source tasks. 1 when this task ends its transactions itself: the worker has exactly-once support and the connector
     says transaction.boundary=connector. 0: the two functions below are refused. */
  int32_t (*defines_transactions)(mr_context*);
  /* Source tasks, within poll, between calls of emit. Everything emitted since the last end of a transaction becomes
     visible, and its source offsets are stored, in one step; durable on MR_OK. Any failure: return it from poll. */
  int32_t (*commit_transaction)(mr_context*, mr_error* error);
  /* As commit_transaction, but what was emitted is never seen; its source offsets go with the next commit. */
  int32_t (*abort_transaction)(mr_context*, mr_error* error);
  /* Sink tasks. The next put follows within `ms`, with an empty list when nothing has come. Counts once. */
  void (*timeout)(mr_context*, int64_t ms);

  /* Connectors, within preview: adds one line of what would be done: a statement, an object's name and content. */
  void (*add_preview)(mr_context*, mr_str line);

  /* ---- since 1.2 ---- */

  /* Tasks, any thread. What the task is at, shown in its status and, where a number, at /metrics; replaces what was
     told before. Copied. Call it a few times a second at most. */
  void (*set_progress)(mr_context*, const mr_progress* items, size_t count);

  /* ---- since 1.3 ---- */

  /* Tasks, on the task's thread. The oldest signal that was posted for the connector and that this task has not taken
     yet: a JSON object {"id": text, "type": text, "data": …}; data NULL: there is none. Lives until the next call.
     Signals are refused until a running task has called this once. */
  mr_str (*take_signal)(mr_context*);
} mr_host_v1;

/* ---- what a plugin provides -------------------------------------------------------------------------------------- */

typedef enum mr_connector_kind { MR_SOURCE = 1, MR_SINK = 2 } mr_connector_kind;

typedef enum mr_support { MR_SUPPORT_UNSTATED = 0, MR_SUPPORTED = 1, MR_UNSUPPORTED = 2 } mr_support;

typedef struct mr_connector_v1 {
  uint32_t struct_size;
  uint16_t major, minor;
  int32_t kind; /* mr_connector_kind */
  uint32_t reserved;
  const mr_str* names; /* class names that select it, the own one first; Java's names and aliases may follow */
  size_t name_count;
  mr_str version;
  const mr_config_key* config;
  size_t config_count;

  /* Cross-key checks after every single key was fine; adds messages by add_config_error. May be NULL, may be slow. */
  int32_t (*validate)(mr_context*, const mr_config*, mr_error*);

  /* The connector: one instance a configured connector. NULL members: one task with the connector's own configuration
     (sinks: tasks.max of them). start may spawn threads; stop joins them; start may follow stop. */
  void* (*connector_create)(mr_context*, mr_error*);
  int32_t (*connector_start)(void* connector, const mr_config*, mr_error*);
  int32_t (*connector_task_configs)(void* connector, int32_t tasks_max, mr_error*);
  int32_t (*connector_stop)(void* connector, mr_error*);
  void (*connector_destroy)(void* connector);

  /* The task. create only allocates; start opens what it needs; destroy follows stop and also a failed start. */
  void* (*task_create)(mr_context*, mr_error*);
  int32_t (*task_start)(void* task, const mr_config*, mr_error*);
  int32_t (*task_stop)(void* task, mr_error*);
  void (*task_destroy)(void* task);
  /* Another thread: break a blocking poll or put. May be NULL. */
  void (*task_interrupt)(void* task);

  /* Sources. Emits what there is and returns; with nothing to read it waits a while (mr_host_v1.wait) or returns. */
  int32_t (*poll)(void* task, mr_error*);
  /* Sources, may be NULL: all offsets of records emitted so far up to some point are stored. */
  int32_t (*commit)(void* task, mr_error*);

  /* Sinks. Newly assigned partitions; may be NULL. */
  int32_t (*open)(void* task, const mr_topic_partition*, size_t count, mr_error*);
  /* Sinks. Records in offset order within a partition; `count` may be 0. MR_UNAVAILABLE: the same records come again.
   */
  int32_t (*put)(void* task, const mr_record* records, size_t count, mr_error*);
  /* Sinks. Everything put before is durable in the target when it returns MR_OK. The offsets say up to where, and may
     be lowered in place to what is really durable. May be NULL when put itself is durable. */
  int32_t (*flush)(void* task, mr_topic_partition* offsets, size_t count, mr_error*);
  int32_t (*close)(void* task, const mr_topic_partition*, size_t count, mr_error*);

  /* Sources, may be NULL (offsets then cannot be altered): checks offsets a user wants to set; `offset` kind MR_NULL
     resets. */
  int32_t (*alter_offset)(mr_context*, const mr_config*, const mr_value* partition, const mr_value* offset, mr_error*);

  /* Sinks, may be NULL (then a preview ends at the records that put would get): tells by add_preview what put would do
     with these records. It may read from the target but changes nothing in it. `describe_schema` works as in a task. */
  int32_t (*preview)(mr_context*, const mr_config*, const mr_record*, size_t count, mr_error*);

  /* Sources, may be NULL (says nothing; then exactly.once.support=required is refused): an mr_support, whether with
     these settings every record comes once if records and offsets are stored in one step. Looks at the settings only.
   */
  int32_t (*exactly_once_support)(const mr_config*);
  /* Sources, may be NULL (no): 1 when with these settings its tasks can end their transactions themselves, so that
     transaction.boundary=connector is allowed. Looks at the settings only. */
  int32_t (*can_define_transactions)(const mr_config*);
} mr_connector_v1;

typedef struct mr_plugin_v1 {
  uint32_t struct_size;
  uint16_t major, minor;
  const mr_connector_v1* const* connectors;
  size_t connector_count;
} mr_plugin_v1;

/* The one exported symbol. `host` lives as long as the process. NULL: the plugin refuses this host. */
typedef const mr_plugin_v1* (*mr_plugin_entry)(const mr_host_v1* host);
#define MR_PLUGIN_SYMBOL "mr_plugin"

#ifdef __cplusplus
}
#endif
#endif /* MILLRACE_ABI_H */
