#include "sockets.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>

#include "arguments.h"
#include "descriptor.h"
#include "failure.h"

namespace fdpass {

namespace {

constexpr int socket_type = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;

/// Throws where the path does not fit, which the kernel would cut off or refuse without saying why.
sockaddr_un address_of(Napi::Env env, const char* syscall, const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.find('\0') != std::string::npos) throw system_error(env, syscall, EINVAL, path);
  if (path.size() >= sizeof address.sun_path) {
    throw system_error(env, syscall, ENAMETOOLONG, path + " (a socket's path has at most 107 bytes)");
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

Descriptor open_socket(Napi::Env env) {
  Descriptor socket(::socket(AF_UNIX, socket_type, 0));
  if (socket.get() < 0) throw system_error(env, "socket", errno);
  return socket;
}

}  // namespace

Napi::Value make_pair(const Napi::CallbackInfo& info) {
  int ends[2];
  if (::socketpair(AF_UNIX, socket_type, 0, ends) < 0) throw system_error(info.Env(), "socketpair", errno);
  Descriptor first(ends[0]);
  Descriptor second(ends[1]);
  Napi::Array result = Napi::Array::New(info.Env(), 2);
  result.Set(0u, Napi::Number::New(info.Env(), first.get()));
  result.Set(1u, Napi::Number::New(info.Env(), second.get()));
  first.release();
  second.release();
  return result;
}

Napi::Value listen_unix(const Napi::CallbackInfo& info) {
  const std::string path = path_argument(info[0]);
  const sockaddr_un address = address_of(info.Env(), "bind", path);
  Descriptor socket = open_socket(info.Env());
  // The file takes the mode of the socket (unix_bind in the kernel), so there is no moment when others may connect.
  if (::fchmod(socket.get(), S_IRUSR | S_IWUSR) < 0) throw system_error(info.Env(), "fchmod", errno, path);
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0) {
    throw system_error(info.Env(), "bind", errno, path);
  }
  if (::listen(socket.get(), SOMAXCONN) < 0) {
    const int error = errno;
    ::unlink(path.c_str());
    throw system_error(info.Env(), "listen", error, path);
  }
  return Napi::Number::New(info.Env(), socket.release());
}

Napi::Value connect_unix(const Napi::CallbackInfo& info) {
  const std::string path = path_argument(info[0]);
  const sockaddr_un address = address_of(info.Env(), "connect", path);
  Descriptor socket = open_socket(info.Env());
  // Never in progress: a Unix socket connects at once, or fails (EAGAIN where the listener's queue is full).
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0) {
    throw system_error(info.Env(), "connect", errno, path);
  }
  return Napi::Number::New(info.Env(), socket.release());
}

Napi::Value accept_connection(const Napi::CallbackInfo& info) {
  const int listener = descriptor_argument(info[0]);
  int connection;
  do {
    connection = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  } while (connection < 0 && (errno == EINTR || errno == ECONNABORTED));
  if (connection >= 0) return Napi::Number::New(info.Env(), connection);
  if (errno == EAGAIN) return info.Env().Undefined();
  throw system_error(info.Env(), "accept", errno);
}

Napi::Value peer_credentials(const Napi::CallbackInfo& info) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(descriptor_argument(info[0]), SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0) {
    throw system_error(info.Env(), "getsockopt", errno);
  }
  Napi::Object result = Napi::Object::New(info.Env());
  result.Set("pid", Napi::Number::New(info.Env(), peer.pid));
  result.Set("uid", Napi::Number::New(info.Env(), peer.uid));
  result.Set("gid", Napi::Number::New(info.Env(), peer.gid));
  return result;
}

void close_descriptor(const Napi::CallbackInfo& info) {
  if (::close(descriptor_argument(info[0])) < 0 && errno != EINTR) throw system_error(info.Env(), "close", errno);
}

}  // namespace fdpass
