// Descriptors that close themselves unless they are given away.
#pragma once

#include <unistd.h>

#include <utility>
#include <vector>

namespace fdpass {

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() { reset(); }

  void reset() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }
  int get() const { return fd_; }
  /// The caller closes it from here on.
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

using Descriptors = std::vector<Descriptor>;

}  // namespace fdpass
