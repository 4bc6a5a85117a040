#include "protocol/kafka_error.h"

#include <algorithm>
#include <array>

namespace millrace {
namespace {

constexpr std::string_view kPackage = "org.apache.kafka.common.errors.";

constexpr std::array kErrors = {
    KafkaErrorInfo{KafkaError::kUnknownServerError, "UNKNOWN_SERVER_ERROR", "UnknownServerException", false},
    KafkaErrorInfo{KafkaError::kNone, "NONE", "", false},
    KafkaErrorInfo{KafkaError::kOffsetOutOfRange, "OFFSET_OUT_OF_RANGE", "OffsetOutOfRangeException", false},
    KafkaErrorInfo{KafkaError::kCorruptMessage, "CORRUPT_MESSAGE", "CorruptRecordException", true},
    KafkaErrorInfo{KafkaError::kUnknownTopicOrPartition, "UNKNOWN_TOPIC_OR_PARTITION",
                   "UnknownTopicOrPartitionException", true},
    KafkaErrorInfo{KafkaError::kInvalidFetchSize, "INVALID_FETCH_SIZE", "InvalidFetchSizeException", false},
    KafkaErrorInfo{KafkaError::kLeaderNotAvailable, "LEADER_NOT_AVAILABLE", "LeaderNotAvailableException", true},
    KafkaErrorInfo{KafkaError::kNotLeaderOrFollower, "NOT_LEADER_OR_FOLLOWER", "NotLeaderOrFollowerException", true},
    KafkaErrorInfo{KafkaError::kRequestTimedOut, "REQUEST_TIMED_OUT", "TimeoutException", true},
    KafkaErrorInfo{KafkaError::kBrokerNotAvailable, "BROKER_NOT_AVAILABLE", "BrokerNotAvailableException", false},
    KafkaErrorInfo{KafkaError::kReplicaNotAvailable, "REPLICA_NOT_AVAILABLE", "ReplicaNotAvailableException", true},
    KafkaErrorInfo{KafkaError::kMessageTooLarge, "MESSAGE_TOO_LARGE", "RecordTooLargeException", false},
    KafkaErrorInfo{KafkaError::kStaleControllerEpoch, "STALE_CONTROLLER_EPOCH", "ControllerMovedException", false},
    KafkaErrorInfo{KafkaError::kOffsetMetadataTooLarge, "OFFSET_METADATA_TOO_LARGE", "OffsetMetadataTooLarge", false},
    KafkaErrorInfo{KafkaError::kNetworkException, "NETWORK_EXCEPTION", "NetworkException", true},
    KafkaErrorInfo{KafkaError::kCoordinatorLoadInProgress, "COORDINATOR_LOAD_IN_PROGRESS",
                   "CoordinatorLoadInProgressException", true},
    KafkaErrorInfo{KafkaError::kCoordinatorNotAvailable, "COORDINATOR_NOT_AVAILABLE",
                   "CoordinatorNotAvailableException", true},
    KafkaErrorInfo{KafkaError::kNotCoordinator, "NOT_COORDINATOR", "NotCoordinatorException", true},
    KafkaErrorInfo{KafkaError::kInvalidTopicException, "INVALID_TOPIC_EXCEPTION", "InvalidTopicException", false},
    KafkaErrorInfo{KafkaError::kRecordListTooLarge, "RECORD_LIST_TOO_LARGE", "RecordBatchTooLargeException", false},
    KafkaErrorInfo{KafkaError::kNotEnoughReplicas, "NOT_ENOUGH_REPLICAS", "NotEnoughReplicasException", true},
    KafkaErrorInfo{KafkaError::kNotEnoughReplicasAfterAppend, "NOT_ENOUGH_REPLICAS_AFTER_APPEND",
                   "NotEnoughReplicasAfterAppendException", true},
    KafkaErrorInfo{KafkaError::kInvalidRequiredAcks, "INVALID_REQUIRED_ACKS", "InvalidRequiredAcksException", false},
    KafkaErrorInfo{KafkaError::kIllegalGeneration, "ILLEGAL_GENERATION", "IllegalGenerationException", false},
    KafkaErrorInfo{KafkaError::kInconsistentGroupProtocol, "INCONSISTENT_GROUP_PROTOCOL",
                   "InconsistentGroupProtocolException", false},
    KafkaErrorInfo{KafkaError::kInvalidGroupId, "INVALID_GROUP_ID", "InvalidGroupIdException", false},
    KafkaErrorInfo{KafkaError::kUnknownMemberId, "UNKNOWN_MEMBER_ID", "UnknownMemberIdException", false},
    KafkaErrorInfo{KafkaError::kInvalidSessionTimeout, "INVALID_SESSION_TIMEOUT", "InvalidSessionTimeoutException",
                   false},
    KafkaErrorInfo{KafkaError::kRebalanceInProgress, "REBALANCE_IN_PROGRESS", "RebalanceInProgressException", false},
    KafkaErrorInfo{KafkaError::kInvalidCommitOffsetSize, "INVALID_COMMIT_OFFSET_SIZE",
                   "InvalidCommitOffsetSizeException", false},
    KafkaErrorInfo{KafkaError::kTopicAuthorizationFailed, "TOPIC_AUTHORIZATION_FAILED", "TopicAuthorizationException",
                   false},
    KafkaErrorInfo{KafkaError::kGroupAuthorizationFailed, "GROUP_AUTHORIZATION_FAILED", "GroupAuthorizationException",
                   false},
    KafkaErrorInfo{KafkaError::kClusterAuthorizationFailed, "CLUSTER_AUTHORIZATION_FAILED",
                   "ClusterAuthorizationException", false},
    KafkaErrorInfo{KafkaError::kInvalidTimestamp, "INVALID_TIMESTAMP", "InvalidTimestampException", false},
    KafkaErrorInfo{KafkaError::kUnsupportedSaslMechanism, "UNSUPPORTED_SASL_MECHANISM",
                   "UnsupportedSaslMechanismException", false},
    KafkaErrorInfo{KafkaError::kIllegalSaslState, "ILLEGAL_SASL_STATE", "IllegalSaslStateException", false},
    KafkaErrorInfo{KafkaError::kUnsupportedVersion, "UNSUPPORTED_VERSION", "UnsupportedVersionException", false},
    KafkaErrorInfo{KafkaError::kTopicAlreadyExists, "TOPIC_ALREADY_EXISTS", "TopicExistsException", false},
    KafkaErrorInfo{KafkaError::kInvalidPartitions, "INVALID_PARTITIONS", "InvalidPartitionsException", false},
    KafkaErrorInfo{KafkaError::kInvalidReplicationFactor, "INVALID_REPLICATION_FACTOR",
                   "InvalidReplicationFactorException", false},
    KafkaErrorInfo{KafkaError::kInvalidReplicaAssignment, "INVALID_REPLICA_ASSIGNMENT",
                   "InvalidReplicaAssignmentException", false},
    KafkaErrorInfo{KafkaError::kInvalidConfig, "INVALID_CONFIG", "InvalidConfigurationException", false},
    KafkaErrorInfo{KafkaError::kNotController, "NOT_CONTROLLER", "NotControllerException", true},
    KafkaErrorInfo{KafkaError::kInvalidRequest, "INVALID_REQUEST", "InvalidRequestException", false},
    KafkaErrorInfo{KafkaError::kUnsupportedForMessageFormat, "UNSUPPORTED_FOR_MESSAGE_FORMAT",
                   "UnsupportedForMessageFormatException", false},
    KafkaErrorInfo{KafkaError::kPolicyViolation, "POLICY_VIOLATION", "PolicyViolationException", false},
    KafkaErrorInfo{KafkaError::kOutOfOrderSequenceNumber, "OUT_OF_ORDER_SEQUENCE_NUMBER", "OutOfOrderSequenceException",
                   false},
    KafkaErrorInfo{KafkaError::kDuplicateSequenceNumber, "DUPLICATE_SEQUENCE_NUMBER", "DuplicateSequenceException",
                   false},
    KafkaErrorInfo{KafkaError::kInvalidProducerEpoch, "INVALID_PRODUCER_EPOCH", "InvalidProducerEpochException", false},
    KafkaErrorInfo{KafkaError::kInvalidTxnState, "INVALID_TXN_STATE", "InvalidTxnStateException", false},
    KafkaErrorInfo{KafkaError::kInvalidProducerIdMapping, "INVALID_PRODUCER_ID_MAPPING", "InvalidPidMappingException",
                   false},
    KafkaErrorInfo{KafkaError::kInvalidTransactionTimeout, "INVALID_TRANSACTION_TIMEOUT", "InvalidTxnTimeoutException",
                   false},
    KafkaErrorInfo{KafkaError::kConcurrentTransactions, "CONCURRENT_TRANSACTIONS", "ConcurrentTransactionsException",
                   true},
    KafkaErrorInfo{KafkaError::kTransactionCoordinatorFenced, "TRANSACTION_COORDINATOR_FENCED",
                   "TransactionCoordinatorFencedException", false},
    KafkaErrorInfo{KafkaError::kTransactionalIdAuthorizationFailed, "TRANSACTIONAL_ID_AUTHORIZATION_FAILED",
                   "TransactionalIdAuthorizationException", false},
    KafkaErrorInfo{KafkaError::kSecurityDisabled, "SECURITY_DISABLED", "SecurityDisabledException", false},
    KafkaErrorInfo{KafkaError::kOperationNotAttempted, "OPERATION_NOT_ATTEMPTED", "OperationNotAttemptedException",
                   false},
    KafkaErrorInfo{KafkaError::kKafkaStorageError, "KAFKA_STORAGE_ERROR", "KafkaStorageException", true},
    KafkaErrorInfo{KafkaError::kLogDirNotFound, "LOG_DIR_NOT_FOUND", "LogDirNotFoundException", false},
    KafkaErrorInfo{KafkaError::kSaslAuthenticationFailed, "SASL_AUTHENTICATION_FAILED", "SaslAuthenticationException",
                   false},
    KafkaErrorInfo{KafkaError::kUnknownProducerId, "UNKNOWN_PRODUCER_ID", "UnknownProducerIdException", false},
    KafkaErrorInfo{KafkaError::kReassignmentInProgress, "REASSIGNMENT_IN_PROGRESS", "ReassignmentInProgressException",
                   false},
    KafkaErrorInfo{KafkaError::kDelegationTokenAuthDisabled, "DELEGATION_TOKEN_AUTH_DISABLED",
                   "DelegationTokenDisabledException", false},
    KafkaErrorInfo{KafkaError::kDelegationTokenNotFound, "DELEGATION_TOKEN_NOT_FOUND",
                   "DelegationTokenNotFoundException", false},
    KafkaErrorInfo{KafkaError::kDelegationTokenOwnerMismatch, "DELEGATION_TOKEN_OWNER_MISMATCH",
                   "DelegationTokenOwnerMismatchException", false},
    KafkaErrorInfo{KafkaError::kDelegationTokenRequestNotAllowed, "DELEGATION_TOKEN_REQUEST_NOT_ALLOWED",
                   "UnsupportedByAuthenticationException", false},
    KafkaErrorInfo{KafkaError::kDelegationTokenAuthorizationFailed, "DELEGATION_TOKEN_AUTHORIZATION_FAILED",
                   "DelegationTokenAuthorizationException", false},
    KafkaErrorInfo{KafkaError::kDelegationTokenExpired, "DELEGATION_TOKEN_EXPIRED", "DelegationTokenExpiredException",
                   false},
    KafkaErrorInfo{KafkaError::kInvalidPrincipalType, "INVALID_PRINCIPAL_TYPE", "InvalidPrincipalTypeException", false},
    KafkaErrorInfo{KafkaError::kNonEmptyGroup, "NON_EMPTY_GROUP", "GroupNotEmptyException", false},
    KafkaErrorInfo{KafkaError::kGroupIdNotFound, "GROUP_ID_NOT_FOUND", "GroupIdNotFoundException", false},
    KafkaErrorInfo{KafkaError::kFetchSessionIdNotFound, "FETCH_SESSION_ID_NOT_FOUND", "FetchSessionIdNotFoundException",
                   true},
    KafkaErrorInfo{KafkaError::kInvalidFetchSessionEpoch, "INVALID_FETCH_SESSION_EPOCH",
                   "InvalidFetchSessionEpochException", true},
    KafkaErrorInfo{KafkaError::kListenerNotFound, "LISTENER_NOT_FOUND", "ListenerNotFoundException", true},
    KafkaErrorInfo{KafkaError::kTopicDeletionDisabled, "TOPIC_DELETION_DISABLED", "TopicDeletionDisabledException",
                   false},
    KafkaErrorInfo{KafkaError::kFencedLeaderEpoch, "FENCED_LEADER_EPOCH", "FencedLeaderEpochException", true},
    KafkaErrorInfo{KafkaError::kUnknownLeaderEpoch, "UNKNOWN_LEADER_EPOCH", "UnknownLeaderEpochException", true},
    KafkaErrorInfo{KafkaError::kUnsupportedCompressionType, "UNSUPPORTED_COMPRESSION_TYPE",
                   "UnsupportedCompressionTypeException", false},
    KafkaErrorInfo{KafkaError::kStaleBrokerEpoch, "STALE_BROKER_EPOCH", "StaleBrokerEpochException", false},
    KafkaErrorInfo{KafkaError::kOffsetNotAvailable, "OFFSET_NOT_AVAILABLE", "OffsetNotAvailableException", true},
    KafkaErrorInfo{KafkaError::kMemberIdRequired, "MEMBER_ID_REQUIRED", "MemberIdRequiredException", false},
    KafkaErrorInfo{KafkaError::kPreferredLeaderNotAvailable, "PREFERRED_LEADER_NOT_AVAILABLE",
                   "PreferredLeaderNotAvailableException", true},
    KafkaErrorInfo{KafkaError::kGroupMaxSizeReached, "GROUP_MAX_SIZE_REACHED", "GroupMaxSizeReachedException", false},
    KafkaErrorInfo{KafkaError::kFencedInstanceId, "FENCED_INSTANCE_ID", "FencedInstanceIdException", false},
    KafkaErrorInfo{KafkaError::kEligibleLeadersNotAvailable, "ELIGIBLE_LEADERS_NOT_AVAILABLE",
                   "EligibleLeadersNotAvailableException", true},
    KafkaErrorInfo{KafkaError::kElectionNotNeeded, "ELECTION_NOT_NEEDED", "ElectionNotNeededException", true},
    KafkaErrorInfo{KafkaError::kNoReassignmentInProgress, "NO_REASSIGNMENT_IN_PROGRESS",
                   "NoReassignmentInProgressException", false},
    KafkaErrorInfo{KafkaError::kGroupSubscribedToTopic, "GROUP_SUBSCRIBED_TO_TOPIC", "GroupSubscribedToTopicException",
                   false},
    KafkaErrorInfo{KafkaError::kInvalidRecord, "INVALID_RECORD", "InvalidRecordException", false},
    KafkaErrorInfo{KafkaError::kUnstableOffsetCommit, "UNSTABLE_OFFSET_COMMIT", "UnstableOffsetCommitException", true},
    KafkaErrorInfo{KafkaError::kThrottlingQuotaExceeded, "THROTTLING_QUOTA_EXCEEDED",
                   "ThrottlingQuotaExceededException", true},
    KafkaErrorInfo{KafkaError::kProducerFenced, "PRODUCER_FENCED", "ProducerFencedException", false},
    KafkaErrorInfo{KafkaError::kResourceNotFound, "RESOURCE_NOT_FOUND", "ResourceNotFoundException", false},
    KafkaErrorInfo{KafkaError::kDuplicateResource, "DUPLICATE_RESOURCE", "DuplicateResourceException", false},
    KafkaErrorInfo{KafkaError::kUnacceptableCredential, "UNACCEPTABLE_CREDENTIAL", "UnacceptableCredentialException",
                   false},
    KafkaErrorInfo{KafkaError::kInconsistentVoterSet, "INCONSISTENT_VOTER_SET", "InconsistentVoterSetException", false},
    KafkaErrorInfo{KafkaError::kInvalidUpdateVersion, "INVALID_UPDATE_VERSION", "InvalidUpdateVersionException", false},
    KafkaErrorInfo{KafkaError::kFeatureUpdateFailed, "FEATURE_UPDATE_FAILED", "FeatureUpdateFailedException", false},
    KafkaErrorInfo{KafkaError::kPrincipalDeserializationFailure, "PRINCIPAL_DESERIALIZATION_FAILURE",
                   "PrincipalDeserializationException", false},
    KafkaErrorInfo{KafkaError::kSnapshotNotFound, "SNAPSHOT_NOT_FOUND", "SnapshotNotFoundException", false},
    KafkaErrorInfo{KafkaError::kPositionOutOfRange, "POSITION_OUT_OF_RANGE", "PositionOutOfRangeException", false},
    KafkaErrorInfo{KafkaError::kUnknownTopicId, "UNKNOWN_TOPIC_ID", "UnknownTopicIdException", true},
    KafkaErrorInfo{KafkaError::kDuplicateBrokerRegistration, "DUPLICATE_BROKER_REGISTRATION",
                   "DuplicateBrokerRegistrationException", false},
    KafkaErrorInfo{KafkaError::kBrokerIdNotRegistered, "BROKER_ID_NOT_REGISTERED", "BrokerIdNotRegisteredException",
                   false},
    KafkaErrorInfo{KafkaError::kInconsistentTopicId, "INCONSISTENT_TOPIC_ID", "InconsistentTopicIdException", true},
    KafkaErrorInfo{KafkaError::kInconsistentClusterId, "INCONSISTENT_CLUSTER_ID", "InconsistentClusterIdException",
                   false},
    KafkaErrorInfo{KafkaError::kTransactionalIdNotFound, "TRANSACTIONAL_ID_NOT_FOUND",
                   "TransactionalIdNotFoundException", false},
    KafkaErrorInfo{KafkaError::kFetchSessionTopicIdError, "FETCH_SESSION_TOPIC_ID_ERROR",
                   "FetchSessionTopicIdException", true},
    KafkaErrorInfo{KafkaError::kIneligibleReplica, "INELIGIBLE_REPLICA", "IneligibleReplicaException", false},
    KafkaErrorInfo{KafkaError::kNewLeaderElected, "NEW_LEADER_ELECTED", "NewLeaderElectedException", false},
    KafkaErrorInfo{KafkaError::kOffsetMovedToTieredStorage, "OFFSET_MOVED_TO_TIERED_STORAGE",
                   "OffsetMovedToTieredStorageException", false},
    KafkaErrorInfo{KafkaError::kFencedMemberEpoch, "FENCED_MEMBER_EPOCH", "FencedMemberEpochException", false},
    KafkaErrorInfo{KafkaError::kUnreleasedInstanceId, "UNRELEASED_INSTANCE_ID", "UnreleasedInstanceIdException", false},
    KafkaErrorInfo{KafkaError::kUnsupportedAssignor, "UNSUPPORTED_ASSIGNOR", "UnsupportedAssignorException", false},
    KafkaErrorInfo{KafkaError::kStaleMemberEpoch, "STALE_MEMBER_EPOCH", "StaleMemberEpochException", false},
    KafkaErrorInfo{KafkaError::kMismatchedEndpointType, "MISMATCHED_ENDPOINT_TYPE", "MismatchedEndpointTypeException",
                   false},
    KafkaErrorInfo{KafkaError::kUnsupportedEndpointType, "UNSUPPORTED_ENDPOINT_TYPE",
                   "UnsupportedEndpointTypeException", false},
    KafkaErrorInfo{KafkaError::kUnknownControllerId, "UNKNOWN_CONTROLLER_ID", "UnknownControllerIdException", false},
    KafkaErrorInfo{KafkaError::kUnknownSubscriptionId, "UNKNOWN_SUBSCRIPTION_ID", "UnknownSubscriptionIdException",
                   false},
    KafkaErrorInfo{KafkaError::kTelemetryTooLarge, "TELEMETRY_TOO_LARGE", "TelemetryTooLargeException", false},
    KafkaErrorInfo{KafkaError::kInvalidRegistration, "INVALID_REGISTRATION", "InvalidRegistrationException", false},
    KafkaErrorInfo{KafkaError::kTransactionAbortable, "TRANSACTION_ABORTABLE", "TransactionAbortableException", false},
    KafkaErrorInfo{KafkaError::kInvalidRecordState, "INVALID_RECORD_STATE", "InvalidRecordStateException", false},
    KafkaErrorInfo{KafkaError::kShareSessionNotFound, "SHARE_SESSION_NOT_FOUND", "ShareSessionNotFoundException", true},
    KafkaErrorInfo{KafkaError::kInvalidShareSessionEpoch, "INVALID_SHARE_SESSION_EPOCH",
                   "InvalidShareSessionEpochException", true},
    KafkaErrorInfo{KafkaError::kFencedStateEpoch, "FENCED_STATE_EPOCH", "FencedStateEpochException", false},
    KafkaErrorInfo{KafkaError::kInvalidVoterKey, "INVALID_VOTER_KEY", "InvalidVoterKeyException", false},
    KafkaErrorInfo{KafkaError::kDuplicateVoter, "DUPLICATE_VOTER", "DuplicateVoterException", false},
    KafkaErrorInfo{KafkaError::kVoterNotFound, "VOTER_NOT_FOUND", "VoterNotFoundException", false},
    KafkaErrorInfo{KafkaError::kInvalidRegularExpression, "INVALID_REGULAR_EXPRESSION", "InvalidRegularExpression",
                   false},
    KafkaErrorInfo{KafkaError::kRebootstrapRequired, "REBOOTSTRAP_REQUIRED", "RebootstrapRequiredException", false},
    KafkaErrorInfo{KafkaError::kStreamsInvalidTopology, "STREAMS_INVALID_TOPOLOGY", "StreamsInvalidTopologyException",
                   false},
    KafkaErrorInfo{KafkaError::kStreamsInvalidTopologyEpoch, "STREAMS_INVALID_TOPOLOGY_EPOCH",
                   "StreamsInvalidTopologyEpochException", false},
    KafkaErrorInfo{KafkaError::kStreamsTopologyFenced, "STREAMS_TOPOLOGY_FENCED", "StreamsTopologyFencedException",
                   false},
    KafkaErrorInfo{KafkaError::kShareSessionLimitReached, "SHARE_SESSION_LIMIT_REACHED",
                   "ShareSessionLimitReachedException", true},
    KafkaErrorInfo{KafkaError::kGroupDeletionFailed, "GROUP_DELETION_FAILED", "GroupDeletionFailedException", false},
    KafkaErrorInfo{KafkaError::kStreamsTopologyDescriptionUpdateFailed, "STREAMS_TOPOLOGY_DESCRIPTION_UPDATE_FAILED",
                   "", false},
    KafkaErrorInfo{KafkaError::kControllerIdNotRegistered, "CONTROLLER_ID_NOT_REGISTERED", "", false},
};

ErrorCode error_code_of(const KafkaErrorInfo& info) {
  switch (info.error) {
    case KafkaError::kUnknownTopicOrPartition:
    case KafkaError::kUnknownTopicId:
    case KafkaError::kGroupIdNotFound:
    case KafkaError::kOffsetOutOfRange:
    case KafkaError::kTransactionalIdNotFound:
    case KafkaError::kResourceNotFound:
      return ErrorCode::kNotFound;
    case KafkaError::kTopicAlreadyExists:
    case KafkaError::kDuplicateResource:
      return ErrorCode::kAlreadyExists;
    case KafkaError::kInvalidProducerEpoch:
    case KafkaError::kProducerFenced:
    case KafkaError::kFencedInstanceId:
    case KafkaError::kIllegalGeneration:
    case KafkaError::kUnknownMemberId:
      return ErrorCode::kFenced;
    case KafkaError::kInvalidConfig:
    case KafkaError::kInvalidTopicException:
    case KafkaError::kInvalidPartitions:
    case KafkaError::kInvalidReplicationFactor:
    case KafkaError::kInvalidRequest:
      return ErrorCode::kInvalidConfig;
    case KafkaError::kCorruptMessage:
    case KafkaError::kInvalidRecord:
    case KafkaError::kMessageTooLarge:
    case KafkaError::kInvalidTimestamp:
      return ErrorCode::kBadRecord;
    default:
      return info.retriable ? ErrorCode::kUnavailable : ErrorCode::kConflict;
  }
}

}  // namespace

const KafkaErrorInfo& kafka_error_info(KafkaError error) {
  const auto found =
      std::find_if(kErrors.begin(), kErrors.end(), [&](const KafkaErrorInfo& info) { return info.error == error; });
  return found == kErrors.end() ? kErrors.front() : *found;
}

KafkaError kafka_error_of(const Error& error) {
  const std::string_view exception = error.exception;
  if (!exception.empty()) {
    const std::string_view name = exception.substr(exception.rfind('.') + 1);
    for (const KafkaErrorInfo& info : kErrors) {
      if (info.exception == name) return info.error;
    }
  }
  switch (error.code) {
    case ErrorCode::kUnavailable:
      return KafkaError::kKafkaStorageError;
    case ErrorCode::kBadRecord:
      return KafkaError::kInvalidRecord;
    case ErrorCode::kInvalidConfig:
      return KafkaError::kInvalidConfig;
    case ErrorCode::kNotFound:
      return KafkaError::kUnknownTopicOrPartition;
    case ErrorCode::kAlreadyExists:
      return KafkaError::kTopicAlreadyExists;
    case ErrorCode::kFenced:
      return KafkaError::kInvalidProducerEpoch;
    case ErrorCode::kCorruption:
      return KafkaError::kCorruptMessage;
    default:
      return KafkaError::kUnknownServerError;
  }
}

Error error_of(KafkaError error, std::string message) {
  const KafkaErrorInfo& info = kafka_error_info(error);
  return Error{error_code_of(info), std::move(message), std::string(kPackage) + std::string(info.exception), {}, {}};
}

}  // namespace millrace
