/// Versions shown by GET / and --version.
#pragma once

namespace millrace {

inline constexpr const char* kVersion = "0.1.0";
/// The Kafka Connect whose API is served: clients parse it as x.y.z and switch features on it.
inline constexpr const char* kConnectVersion = "3.9.1";
/// Kafka answers with a Git commit here; ours is set by the build.
inline constexpr const char* kCommit = MILLRACE_COMMIT;

}  // namespace millrace
