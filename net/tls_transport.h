/// Used by TlsContext alone.
#pragma once

#include <memory>

#include "net/transport.h"

struct ssl_st;

namespace millrace {

/// Takes ownership of `ssl`, which may be null when memory is short: then every call is kBroken.
std::unique_ptr<Transport> make_tls_transport(Descriptor socket, ssl_st* ssl);

}  // namespace millrace
