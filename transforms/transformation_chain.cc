#include "transforms/transformation_chain.h"
