// The connector of this library is exported here once capture/ has one.
