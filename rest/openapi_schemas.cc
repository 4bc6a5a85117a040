#include "rest/openapi.h"

namespace millrace {
namespace {

constexpr std::string_view kSchemas = R"json({
"Error": {"type": "object", "required": ["error_code", "message"], "properties": {
  "error_code": {"type": "integer"}, "message": {"type": "string"}}},
"Unauthorized": {"type": "string", "description": "The bare text `User cannot access the resource.`"},
"Message": {"type": "object", "required": ["message"], "properties": {"message": {"type": "string"}}},
"Description": {"type": "object", "required": ["openapi", "paths"]},
"WorkerInfo": {"type": "object", "required": ["version", "commit", "kafka_cluster_id"], "properties": {
  "version": {"type": "string"}, "commit": {"type": "string"}, "kafka_cluster_id": {"type": "string"}}},
"Health": {"type": "object", "required": ["status", "message"], "properties": {
  "status": {"type": "string", "enum": ["healthy", "starting", "unhealthy"]}, "message": {"type": "string"}}},
"Config": {"type": "object", "description": "Numbers and truth values are taken as the text that they are written as.",
  "additionalProperties": {"type": "string", "nullable": true}},
"CreateConnector": {"type": "object", "required": ["name", "config"], "additionalProperties": false, "properties": {
  "name": {"type": "string"}, "config": {"$ref": "#/components/schemas/Config"},
  "initial_state": {"type": "string", "enum": ["RUNNING", "PAUSED", "STOPPED"]}}},
"ConnectorType": {"type": "string", "enum": ["source", "sink", "unknown"]},
"TaskId": {"type": "object", "required": ["connector", "task"], "properties": {
  "connector": {"type": "string"}, "task": {"type": "integer"}}},
"ConnectorInfo": {"type": "object", "required": ["name", "config", "tasks", "type"], "properties": {
  "name": {"type": "string"}, "config": {"$ref": "#/components/schemas/Config"},
  "tasks": {"type": "array", "items": {"$ref": "#/components/schemas/TaskId"}},
  "type": {"$ref": "#/components/schemas/ConnectorType"}}},
"State": {"type": "string", "enum": ["UNASSIGNED", "RUNNING", "PAUSED", "STOPPED", "FAILED", "RESTARTING"]},
"ConnectorState": {"type": "object", "required": ["state", "worker_id"], "properties": {
  "state": {"$ref": "#/components/schemas/State"}, "worker_id": {"type": "string"},
  "trace": {"type": "string", "description": "Why it failed."},
  "progress": {"type": "object", "description": "Of a task: what it tells of long work, such as a snapshot."},
  "restarts": {"type": "integer", "description": "Automatic restarts since it last ran well."}}},
"TaskStatus": {"allOf": [{"$ref": "#/components/schemas/ConnectorState"},
  {"type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}}}]},
"ConnectorStatus": {"type": "object", "required": ["name", "connector", "tasks", "type"], "properties": {
  "name": {"type": "string"}, "connector": {"$ref": "#/components/schemas/ConnectorState"},
  "tasks": {"type": "array", "items": {"$ref": "#/components/schemas/TaskStatus"}},
  "type": {"$ref": "#/components/schemas/ConnectorType"}}},
"Names": {"type": "array", "items": {"type": "string"}},
"ConnectorList": {"oneOf": [{"$ref": "#/components/schemas/Names"},
  {"type": "object", "additionalProperties": {"type": "object", "properties": {
    "status": {"$ref": "#/components/schemas/ConnectorStatus"}, "info": {"$ref": "#/components/schemas/ConnectorInfo"}}}}]},
"TaskList": {"type": "array", "items": {"type": "object", "required": ["id", "config"], "properties": {
  "id": {"$ref": "#/components/schemas/TaskId"}, "config": {"$ref": "#/components/schemas/Config"}}}},
"TaskConfigs": {"type": "array", "items": {"$ref": "#/components/schemas/Config"}},
"TaskConfigsByName": {"type": "object", "additionalProperties": {"$ref": "#/components/schemas/Config"}},
"ActiveTopics": {"type": "object", "additionalProperties": {"type": "object", "required": ["topics"], "properties": {
  "topics": {"$ref": "#/components/schemas/Names"}}}},
"Signal": {"type": "object", "required": ["type"], "additionalProperties": false, "properties": {
  "id": {"type": "string", "description": "Told in notifications; made up when there is none."},
  "type": {"type": "string", "minLength": 1, "description": "As Debezium's, such as execute-snapshot."},
  "data": {"oneOf": [{"type": "object"}, {"type": "string"}], "nullable": true}}},
"Offsets": {"type": "object", "required": ["offsets"], "additionalProperties": false, "properties": {
  "offsets": {"type": "array", "items": {"type": "object", "required": ["partition", "offset"],
    "additionalProperties": false, "properties": {
      "partition": {"type": "object", "nullable": true}, "offset": {"type": "object", "nullable": true}}}}}},
"Plugin": {"type": "object", "required": ["class", "type"], "properties": {
  "class": {"type": "string"}, "version": {"type": "string"},
  "type": {"type": "string", "enum": ["source", "sink", "transformation", "predicate", "converter", "header_converter"]}}},
"PluginList": {"type": "array", "items": {"$ref": "#/components/schemas/Plugin"}},
"ConfigKey": {"type": "object", "required": ["name", "type", "required", "default_value", "importance", "documentation",
    "group", "width", "display_name", "dependents", "order"], "properties": {
  "name": {"type": "string"},
  "type": {"type": "string", "enum": ["BOOLEAN", "STRING", "INT", "SHORT", "LONG", "DOUBLE", "LIST", "CLASS", "PASSWORD"]},
  "required": {"type": "boolean"}, "default_value": {"type": "string", "nullable": true},
  "importance": {"type": "string", "enum": ["HIGH", "MEDIUM", "LOW"]}, "documentation": {"type": "string"},
  "group": {"type": "string", "nullable": true}, "width": {"type": "string", "enum": ["NONE", "SHORT", "MEDIUM", "LONG"]},
  "display_name": {"type": "string"}, "dependents": {"$ref": "#/components/schemas/Names"}, "order": {"type": "integer"}}},
"ConfigKeyList": {"type": "array", "items": {"$ref": "#/components/schemas/ConfigKey"}},
"ConfigValue": {"type": "object", "required": ["name", "value", "recommended_values", "errors", "visible"], "properties": {
  "name": {"type": "string"}, "value": {"type": "string", "nullable": true},
  "recommended_values": {"$ref": "#/components/schemas/Names"}, "errors": {"$ref": "#/components/schemas/Names"},
  "visible": {"type": "boolean"}}},
"ConfigInfos": {"type": "object", "required": ["name", "error_count", "groups", "configs"], "properties": {
  "name": {"type": "string"}, "error_count": {"type": "integer"}, "groups": {"$ref": "#/components/schemas/Names"},
  "configs": {"type": "array", "items": {"type": "object", "required": ["definition", "value"], "properties": {
    "definition": {"nullable": true, "allOf": [{"$ref": "#/components/schemas/ConfigKey"}]},
    "value": {"$ref": "#/components/schemas/ConfigValue"}}}}}},
"PreviewRequest": {"type": "object", "description": "A configuration, or one with records for a sink.",
  "properties": {"config": {"$ref": "#/components/schemas/Config"},
    "records": {"type": "array", "items": {"type": "object", "required": ["topic"], "properties": {
      "topic": {"type": "string"}, "partition": {"type": "integer"}, "offset": {"type": "integer"},
      "timestamp": {"type": "integer"}, "key": {}, "value": {}, "headers": {"type": "object"}}}}}},
"Preview": {"type": "object", "required": ["name", "type", "records", "dropped", "errors"], "properties": {
  "name": {"type": "string"}, "type": {"$ref": "#/components/schemas/ConnectorType"},
  "records": {"type": "array", "items": {"type": "object"}},
  "dropped": {"type": "integer", "description": "By transformations."},
  "errors": {"type": "array", "items": {"type": "object"}},
  "actions": {"type": "array", "description": "Of a sink: statements, lines, objects.", "items": {"type": "string"}}}},
"LevelName": {"type": "string", "enum": ["OFF", "FATAL", "ERROR", "WARN", "INFO", "DEBUG", "TRACE", "ALL"]},
"Level": {"type": "object", "required": ["level"], "properties": {"level": {"$ref": "#/components/schemas/LevelName"}}},
"LoggerLevel": {"type": "object", "required": ["level", "last_modified"], "properties": {
  "level": {"$ref": "#/components/schemas/LevelName"},
  "last_modified": {"type": "integer", "format": "int64", "nullable": true, "description": "Milliseconds since 1970."}}},
"Loggers": {"type": "object", "additionalProperties": {"$ref": "#/components/schemas/LoggerLevel"}}
})json";

}  // namespace

Json openapi_schemas() { return Json::parse(kSchemas); }

}  // namespace millrace
