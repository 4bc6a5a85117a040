#include "transforms/transformation.h"

namespace millrace {
std::vector<TransformationClass> kafka_transformation_classes() { return {}; }
}  // namespace millrace
