#include "transforms/transformation.h"

namespace millrace {
std::vector<TransformationClass> debezium_transformation_classes() { return {}; }
}  // namespace millrace
