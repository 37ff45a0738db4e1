#include "arguments.h"

#include <climits>
#include <cmath>

namespace fdpass {

int integer_argument(const Napi::Value& value, const char* name, int limit) {
  const double number = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : -1;
  if (!(number >= 0 && number <= limit) || std::floor(number) != number) {
    throw Napi::TypeError::New(value.Env(), std::string(name) + " must be a whole number from 0 to " + std::to_string(limit));
  }
  return static_cast<int>(number);
}

int descriptor_argument(const Napi::Value& value) { return integer_argument(value, "a descriptor", INT_MAX); }

std::vector<int> descriptors_argument(const Napi::Value& value) {
  if (!value.IsArray()) throw Napi::TypeError::New(value.Env(), "the descriptors must be an array");
  const Napi::Array array = value.As<Napi::Array>();
  std::vector<int> fds;
  for (uint32_t index = 0; index < array.Length(); index++) fds.push_back(descriptor_argument(array.Get(index)));
  return fds;
}

std::string path_argument(const Napi::Value& value) {
  if (!value.IsString()) throw Napi::TypeError::New(value.Env(), "the path must be a string");
  return value.As<Napi::String>().Utf8Value();
}

}  // namespace fdpass
