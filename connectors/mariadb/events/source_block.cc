#include "connectors/mariadb/events/source_block.h"

#include <cstring>

namespace millrace::mariadb {
namespace {

/// The fields' places in source_schema().
enum Place : size_t {
  kVersion,
  kConnector,
  kName,
  kTsMs,
  kSnapshot,
  kDb,
  kSequence,
  kTsUs,
  kTsNs,
  kTable,
  kServerId,
  kGtid,
  kFile,
  kPos,
  kRow,
  kThread,
  kQuery
};
static_assert(kQuery + 1 == SourceBlock::kFields);

constexpr std::string_view kMarkers[] = {
    "false", "true", "first", "first_in_data_collection", "last_in_data_collection", "last", "incremental"};

}  // namespace

void SourceTexts::set(RecordBatch& batch, const SourceInfo& info) {
  gtid = batch.keep(gtid_slot_, info.gtid);
  file = batch.keep(file_slot_, info.file);
  if (file.kind == MR_NULL) file = text_value("");
  // The rows of one event share a query of perhaps a megabyte: it is not compared for each of them.
  const bool same_event = batch_ == batch.number() && position_ == info.position && row_ < info.row &&
                          query_seen_ == info.query.data() && query_size_ == info.query.size();
  if (!same_event) query = batch.keep(query_slot_, info.query);
  batch_ = batch.number();
  position_ = info.position;
  row_ = info.row;
  query_seen_ = info.query.data();
  query_size_ = info.query.size();
}

SourceBlock::SourceBlock(const EventOptions& options, std::string_view database, std::optional<std::string_view> table)
    : fields_{} {
  fields_[kVersion] = text_value(options.version);
  fields_[kConnector] = text_value(options.connector);
  fields_[kName] = text_value(options.topic_prefix);
  fields_[kTsMs].kind = fields_[kTsUs].kind = fields_[kTsNs].kind = MR_INT64;
  fields_[kDb] = text_value(database);
  if (table.has_value()) fields_[kTable] = text_value(*table);
  fields_[kServerId].kind = fields_[kPos].kind = MR_INT64;
  fields_[kRow].kind = MR_INT32;
}

void SourceBlock::write(mr_value* out, const SourceInfo& info, const SourceTexts& texts) const {
  std::memcpy(out, fields_, sizeof(fields_));
  out[kTsMs].u.i64 = info.time_us / 1000;
  out[kTsUs].u.i64 = info.time_us;
  out[kTsNs].u.i64 = info.time_us * 1000;
  // "false" is the field's default and left out of the value, as Debezium does: converters put the default in.
  out[kSnapshot] =
      info.snapshot == SnapshotMarker::kFalse ? mr_value{} : text_value(kMarkers[static_cast<size_t>(info.snapshot)]);
  out[kServerId].u.i64 = info.server_id;
  out[kGtid] = texts.gtid;
  out[kFile] = texts.file;
  out[kPos].u.i64 = static_cast<int64_t>(info.position);
  out[kRow].u.i64 = info.row;
  out[kQuery] = texts.query;
}

}  // namespace millrace::mariadb
