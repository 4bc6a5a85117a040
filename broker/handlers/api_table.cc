#include "broker/handlers/apis.h"
#include "broker/handlers/sasl_apis.h"

namespace millrace {

ApiTable all_apis() {
  ApiTable table;
  table.add(data_apis());
  table.add(admin_apis());
  table.add(group_apis());
  table.add(transaction_apis());
  table.add(sasl_apis());
  return table;
}

}  // namespace millrace
