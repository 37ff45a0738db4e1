//! Network interfaces: the loopback always, eth0 when the host gives it an address.

use std::fs;
use std::io;
use std::net::Ipv4Addr;
use std::os::fd::{AsRawFd, OwnedFd};

use cloche_protocol::control::Network;
use nix::errno::Errno;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socket};

#[derive(Debug, thiserror::Error)]
pub enum NetworkError {
    #[error("cannot {what} of {interface}: {errno}")]
    Call {
        what: &'static str,
        interface: &'static str,
        errno: Errno,
    },
    #[error("the prefix length {0} is beyond 32")]
    Prefix(u8),
    #[error("cannot write /etc/resolv.conf: {0}")]
    Resolver(#[from] io::Error),
}

pub fn bring_up_loopback() -> Result<(), NetworkError> {
    Interface::open("lo")?.bring_up()
}

pub fn configure(network: &Network) -> Result<(), NetworkError> {
    let mask = netmask(network.prefix_length)?;
    let interface = Interface::open("eth0")?;
    interface.set_address(libc::SIOCSIFADDR, "set the address", network.address)?;
    interface.set_address(libc::SIOCSIFNETMASK, "set the netmask", mask)?;
    interface.bring_up()?;
    interface.add_default_route(network.gateway)?;
    let servers: String = network
        .dns
        .iter()
        .map(|server| format!("nameserver {server}\n"))
        .collect();
    // Replaced, not followed: in some images it is a link to nowhere.
    let _ = fs::remove_file("/etc/resolv.conf");
    Ok(fs::write("/etc/resolv.conf", servers)?)
}

fn netmask(prefix_length: u8) -> Result<Ipv4Addr, NetworkError> {
    match prefix_length {
        0 => Ok(Ipv4Addr::UNSPECIFIED),
        1..=32 => Ok(Ipv4Addr::from_bits(u32::MAX << (32 - prefix_length))),
        _ => Err(NetworkError::Prefix(prefix_length)),
    }
}

struct Interface {
    name: &'static str,
    socket: OwnedFd,
}

impl Interface {
    fn open(name: &'static str) -> Result<Self, NetworkError> {
        let socket = socket(
            AddressFamily::Inet,
            SockType::Datagram,
            SockFlag::SOCK_CLOEXEC,
            None,
        )
        .map_err(|errno| NetworkError::Call {
            what: "open a socket for the settings",
            interface: name,
            errno,
        })?;
        Ok(Self { name, socket })
    }

    fn request(&self) -> libc::ifreq {
        // SAFETY: ifreq is plain data, and all zeros is an empty request.
        let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
        for (to, from) in request.ifr_name.iter_mut().zip(self.name.bytes()) {
            *to = from as libc::c_char;
        }
        request
    }

    fn call<T>(
        &self,
        code: libc::c_ulong,
        what: &'static str,
        argument: &mut T,
    ) -> Result<(), NetworkError> {
        // SAFETY: the socket is open, and every caller passes the structure that its code reads or writes.
        let result =
            unsafe { libc::ioctl(self.socket.as_raw_fd(), code, std::ptr::from_mut(argument)) };
        Errno::result(result)
            .map(drop)
            .map_err(|errno| NetworkError::Call {
                what,
                interface: self.name,
                errno,
            })
    }

    fn set_address(
        &self,
        code: libc::c_ulong,
        what: &'static str,
        address: Ipv4Addr,
    ) -> Result<(), NetworkError> {
        let mut request = self.request();
        request.ifr_ifru.ifru_addr = socket_address(address);
        self.call(code, what, &mut request)
    }

    fn bring_up(&self) -> Result<(), NetworkError> {
        let mut request = self.request();
        self.call(libc::SIOCGIFFLAGS, "read the flags", &mut request)?;
        // SAFETY: SIOCGIFFLAGS has filled in the flags.
        let flags = unsafe { request.ifr_ifru.ifru_flags };
        request.ifr_ifru.ifru_flags = flags | libc::IFF_UP as libc::c_short;
        self.call(libc::SIOCSIFFLAGS, "set the flags", &mut request)
    }

    fn add_default_route(&self, gateway: Ipv4Addr) -> Result<(), NetworkError> {
        // SAFETY: rtentry is plain data, and all zeros is an empty route.
        let mut route: libc::rtentry = unsafe { std::mem::zeroed() };
        route.rt_dst = socket_address(Ipv4Addr::UNSPECIFIED);
        route.rt_genmask = socket_address(Ipv4Addr::UNSPECIFIED);
        route.rt_gateway = socket_address(gateway);
        route.rt_flags = libc::RTF_UP | libc::RTF_GATEWAY;
        self.call(libc::SIOCADDRT, "add the default route", &mut route)
    }
}

/// sockaddr_in in the shape of sockaddr: port, then address in network order.
fn socket_address(address: Ipv4Addr) -> libc::sockaddr {
    let mut data = [0; 14];
    for (to, from) in data.iter_mut().skip(2).zip(address.octets()) {
        *to = from as libc::c_char;
    }
    libc::sockaddr {
        sa_family: libc::AF_INET as libc::sa_family_t,
        sa_data: data,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_length_is_a_netmask() {
        let mask = |length| netmask(length).map(|mask| mask.to_string()).ok();
        assert_eq!(mask(24).as_deref(), Some("255.255.255.0"));
        assert_eq!(mask(32).as_deref(), Some("255.255.255.255"));
        assert_eq!(mask(0).as_deref(), Some("0.0.0.0"));
        assert_eq!(mask(33), None);
    }
}
