// Arguments from JavaScript, checked.
#pragma once

#include <napi.h>

#include <cstddef>
#include <string>
#include <vector>

namespace fdpass {

/// A whole number from 0 to the limit; throws a TypeError that calls it by the name.
int integer_argument(const Napi::Value& value, const char* name, int limit);
/// A descriptor's number.
int descriptor_argument(const Napi::Value& value);
std::vector<int> descriptors_argument(const Napi::Value& value);
std::string path_argument(const Napi::Value& value);

}  // namespace fdpass
