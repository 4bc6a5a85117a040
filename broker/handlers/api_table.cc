#include "broker/handlers/apis.h"

namespace millrace {

ApiTable all_apis() {
  ApiTable table;
  table.add(data_apis());
  return table;
}

}  // namespace millrace
