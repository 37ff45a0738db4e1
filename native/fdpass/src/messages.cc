#include "messages.h"

#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "arguments.h"
#include "descriptor.h"
#include "failure.h"

namespace fdpass {

namespace {

/// The kernel's SCM_MAX_FD.
constexpr int max_descriptors = 253;
constexpr int max_bytes = 16 << 20;

/// Takes over every descriptor that came with the message, whatever else came with it.
Descriptors take_descriptors(msghdr& message) {
  Descriptors taken;
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t index = 0; index < count; index++) {
      int fd;
      std::memcpy(&fd, CMSG_DATA(header) + index * sizeof fd, sizeof fd);
      taken.emplace_back(fd);
    }
  }
  return taken;
}

}  // namespace

Napi::Value send_message(const Napi::CallbackInfo& info) {
  const int socket = descriptor_argument(info[0]);
  if (!info[1].IsTypedArray() || info[1].As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array) {
    throw Napi::TypeError::New(info.Env(), "the bytes must be a Uint8Array");
  }
  Napi::Uint8Array bytes = info[1].As<Napi::Uint8Array>();
  const std::vector<int> fds = descriptors_argument(info[2]);
  // A stream carries descriptors only beside at least one byte.
  if (fds.size() > max_descriptors || (bytes.ByteLength() == 0 && !fds.empty())) {
    throw system_error(info.Env(), "sendmsg", EINVAL);
  }
  iovec part{bytes.Data(), bytes.ByteLength()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  std::vector<char> control(CMSG_SPACE(fds.size() * sizeof(int)));
  if (!fds.empty()) {
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(fds.size() * sizeof(int));
    std::memcpy(CMSG_DATA(header), fds.data(), fds.size() * sizeof(int));
  }
  ssize_t sent;
  do {
    sent = ::sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
  } while (sent < 0 && errno == EINTR);
  if (sent >= 0) return Napi::Number::New(info.Env(), static_cast<double>(sent));
  if (errno == EAGAIN) return info.Env().Undefined();
  throw system_error(info.Env(), "sendmsg", errno);
}

Napi::Value receive_message(const Napi::CallbackInfo& info) {
  const int socket = descriptor_argument(info[0]);
  const int byte_limit = integer_argument(info[1], "maxBytes", max_bytes);
  const int fd_limit = integer_argument(info[2], "maxFds", max_descriptors);
  // With no room for a byte, the end of the stream would look like any message.
  if (byte_limit == 0) throw system_error(info.Env(), "recvmsg", EINVAL);

  std::vector<char> bytes(static_cast<std::size_t>(byte_limit));
  std::vector<char> control(CMSG_SPACE(static_cast<std::size_t>(fd_limit) * sizeof(int)));
  iovec part{bytes.data(), bytes.size()};
  msghdr message{};
  ssize_t received;
  do {
    message = msghdr{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    received = ::recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  } while (received < 0 && errno == EINTR);
  if (received < 0) {
    if (errno == EAGAIN) return info.Env().Undefined();
    throw system_error(info.Env(), "recvmsg", errno);
  }

  Descriptors taken = take_descriptors(message);
  if ((message.msg_flags & MSG_CTRUNC) != 0 || taken.size() > static_cast<std::size_t>(fd_limit)) {
    throw system_error(info.Env(), "recvmsg", EMSGSIZE, "(more descriptors than expected)");
  }
  Napi::Object result = Napi::Object::New(info.Env());
  result.Set("bytes", Napi::Buffer<char>::Copy(info.Env(), bytes.data(), static_cast<std::size_t>(received)));
  Napi::Array fds = Napi::Array::New(info.Env(), taken.size());
  for (uint32_t index = 0; index < taken.size(); index++) fds.Set(index, Napi::Number::New(info.Env(), taken[index].get()));
  result.Set("fds", fds);
  // Nothing can throw any more.
  for (Descriptor& descriptor : taken) descriptor.release();
  return result;
}

}  // namespace fdpass
